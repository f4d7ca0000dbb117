//! What the descriptors say: the services, the methods and the reasons, each with its comment.

use std::collections::HashMap;

use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

use crate::grpc::access::{self, Access};
use crate::grpc::pb;

/// Tags of `google.protobuf.FileDescriptorProto`, `ServiceDescriptorProto` and `EnumDescriptorProto`: a comment is found
/// by the path of tags and indices that leads to what it stands above.
const SERVICE: i32 = 6;
const METHOD: i32 = 2;
const ENUM: i32 = 5;
const VALUE: i32 = 2;

const REASONS: &str = "ErrorReason";
const PREFIX: &str = "ERROR_REASON_";
const NEVER_SENT: &str = "UNSPECIFIED";

/// A service as its file describes it.
pub struct Service {
    /// `package.Service`.
    pub name: String,
    pub comment: Vec<String>,
    pub methods: Vec<Method>,
}

/// A method as its file describes it, and the rule that is enforced for it.
pub struct Method {
    pub name: String,
    pub comment: Vec<String>,
    pub access: Access,
    /// What is said of a method that streams; empty of one that does not.
    pub streams: &'static str,
}

/// A reason of an error, by the name that is sent.
pub struct Reason {
    pub name: String,
    pub comment: Vec<String>,
}

/// What there is to refer to, in the order of the files.
pub struct Contract {
    pub services: Vec<Service>,
    pub reasons: Vec<Reason>,
}

impl Contract {
    pub fn read() -> Self {
        let rules = rules(pb::FILE_DESCRIPTOR_SET);
        let set = FileDescriptorSet::decode(pb::FILE_DESCRIPTOR_SET).expect("descriptors");
        let ours: Vec<&FileDescriptorProto> =
            set.file.iter().filter(|file| file.package().starts_with("keystead.")).collect();
        Self {
            services: ours.iter().flat_map(|file| services(file, &rules)).collect(),
            reasons: ours.iter().flat_map(|file| reasons(file)).collect(),
        }
    }

    pub fn methods(&self) -> impl Iterator<Item = (&Service, &Method)> {
        self.services.iter().flat_map(|service| service.methods.iter().map(move |method| (service, method)))
    }
}

/// The rules that are enforced, by path.
pub fn rules(set: &[u8]) -> HashMap<String, Access> {
    let declared = access::declared(set).expect("declared access");
    declared.into_iter().map(|method| (method.path, method.access)).collect()
}

fn services(file: &FileDescriptorProto, rules: &HashMap<String, Access>) -> Vec<Service> {
    let comments = comments(file);
    let mut services = Vec::new();
    for (at, service) in (0..).zip(&file.service) {
        let name = format!("{}.{}", file.package(), service.name());
        let methods = (0..).zip(&service.method).map(|(index, method)| Method {
            name: method.name().to_owned(),
            comment: comment(&comments, &[SERVICE, at, METHOD, index]),
            access: rules[&format!("/{name}/{}", method.name())].clone(),
            streams: match (method.client_streaming(), method.server_streaming()) {
                (true, _) => "(Stream both ways.) ",
                (false, true) => "(Server stream.) ",
                (false, false) => "",
            },
        });
        let methods = methods.collect();
        services.push(Service { comment: comment(&comments, &[SERVICE, at]), name, methods });
    }
    services
}

fn reasons(file: &FileDescriptorProto) -> Vec<Reason> {
    let comments = comments(file);
    let enums = (0..).zip(&file.enum_type).filter(|(_, found)| found.name() == REASONS);
    let values = enums.flat_map(|(at, found)| (0..).zip(&found.value).map(move |(index, value)| (at, index, value)));
    let reasons = values.map(|(at, index, value)| Reason {
        name: value.name().strip_prefix(PREFIX).expect("the prefix of reasons").to_owned(),
        comment: comment(&comments, &[ENUM, at, VALUE, index]),
    });
    reasons.filter(|reason| reason.name != NEVER_SENT).collect()
}

fn comments(file: &FileDescriptorProto) -> HashMap<&[i32], &str> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    locations.map(|location| (location.path.as_slice(), location.leading_comments())).collect()
}

/// The paragraphs of a comment, each in one line.
fn comment(comments: &HashMap<&[i32], &str>, path: &[i32]) -> Vec<String> {
    let lines: Vec<&str> = comments.get(path).copied().unwrap_or_default().lines().map(str::trim).collect();
    lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty()).map(|lines| lines.join(" ")).collect()
}
