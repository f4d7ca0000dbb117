//! Who may call a method: what the contract's option `keystead.v1.access` says beside it, read at the start.
//!
//! Deny by default: a method of ours without the option, and a service of others that is not listed here, stop the
//! start.

use prost::Message as _;

use super::pb;
use super::pb::access::Rule;
use crate::domain::role::RoleName;
use crate::service::access::Need;

/// The package whose methods must say who may call them.
const OUR_PACKAGES: &str = "keystead.";

/// Services of others that are served; they tell nothing that needs a bearer.
const PUBLIC_SERVICES: [&str; 4] = [
    "envoy.service.auth.v3.Authorization",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// Who may call a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a bearer.
    Public,
    /// Whoever shows a bearer that meets the need.
    Bearer(Need),
}

/// What the contract does not say, or says wrongly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessFault {
    #[error("its descriptors cannot be read: {0}")]
    Unreadable(#[from] prost::DecodeError),
    #[error("it does not say who may call {0}")]
    Undeclared(String),
    #[error("{0} asks for what is no role")]
    NoRole(String),
}

/// A method as the descriptors have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// `/package.Service/Method`.
    pub path: String,
    pub access: Access,
    pub client_streaming: bool,
}

/// Every method of an encoded `google.protobuf.FileDescriptorSet`.
pub fn declared(set: &[u8]) -> Result<Vec<Declared>, AccessFault> {
    let mut methods = Vec::new();
    for file in FileSet::decode(set)?.file {
        for service in file.service {
            let service_name = format!("{}.{}", file.package, service.name);
            for method in service.method {
                methods.push(method.declared(&service_name)?);
            }
        }
    }
    Ok(methods)
}

impl Method {
    fn declared(self, service: &str) -> Result<Declared, AccessFault> {
        let path = format!("/{service}/{}", self.name);
        let option = self.options.and_then(|options| options.access);
        let access = match option.and_then(|access| access.rule) {
            None if PUBLIC_SERVICES.contains(&service) && !service.starts_with(OUR_PACKAGES) => Access::Public,
            None => return Err(AccessFault::Undeclared(path)),
            Some(Rule::Public(_)) => Access::Public,
            Some(Rule::OwnBearer(own)) => Access::Bearer(Need::OwnBearer { recent_login: own.recent_login }),
            Some(Rule::Role(role)) => match RoleName::parse(&role.name) {
                Ok(role) => Access::Bearer(Need::Role(role)),
                Err(_) => return Err(AccessFault::NoRole(path)),
            },
        };
        Ok(Declared { path, access, client_streaming: self.client_streaming })
    }
}

/// What is needed of `google/protobuf/descriptor.proto`: its generated types know no options of ours.
#[derive(Clone, PartialEq, prost::Message)]
struct FileSet {
    #[prost(message, repeated, tag = "1")]
    file: Vec<File>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "6")]
    service: Vec<Service>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    method: Vec<Method>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Method {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "4")]
    options: Option<Options>,
    #[prost(bool, tag = "5")]
    client_streaming: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Options {
    #[prost(message, optional, tag = "50001")]
    access: Option<pb::Access>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(package: &str, service: &str, rule: Option<pb::Access>) -> Vec<u8> {
        let options = rule.map(|access| Options { access: Some(access) });
        let method = Method { name: "Do".to_owned(), options, client_streaming: false };
        let service = Service { name: service.to_owned(), method: vec![method] };
        FileSet { file: vec![File { package: package.to_owned(), service: vec![service] }] }.encode_to_vec()
    }

    fn access_of(package: &str, service: &str, rule: Option<pb::Access>) -> Result<Access, AccessFault> {
        declared(&set(package, service, rule)).map(|mut methods| methods.remove(0).access)
    }

    fn role(name: &str) -> pb::Access {
        pb::Access { rule: Some(Rule::Role(pb::access::RequiredRole { name: name.to_owned() })) }
    }

    // promise A1
    #[test]
    fn a_method_that_does_not_say_who_may_call_it_stops_the_start() {
        let undeclared = Err(AccessFault::Undeclared("/keystead.v1.Things/Do".to_owned()));
        assert_eq!(access_of("keystead.v1", "Things", None), undeclared);
        assert_eq!(access_of("keystead.v1", "Things", Some(pb::Access { rule: None })), undeclared);
        for name in ["", "Admin", "no role"] {
            let fault = Err(AccessFault::NoRole("/keystead.v1.Things/Do".to_owned()));
            assert_eq!(access_of("keystead.v1", "Things", Some(role(name))), fault, "{name}");
        }
    }

    // promise A1
    #[test]
    fn a_service_of_others_is_public_only_where_it_is_listed() {
        assert_eq!(access_of("grpc.health.v1", "Health", None), Ok(Access::Public));
        for (package, service) in [("grpc.health.v1", "Healthy"), ("grpc.health.v2", "Health"), ("other", "Service")] {
            assert!(access_of(package, service, None).is_err(), "{package}.{service}");
        }
    }

    #[test]
    fn what_is_declared_is_what_is_asked_for() {
        let own =
            |recent_login| Some(pb::Access { rule: Some(Rule::OwnBearer(pb::access::OwnBearer { recent_login })) });
        let of = |rule| access_of("keystead.v1", "Things", rule).unwrap();
        assert_eq!(of(own(true)), Access::Bearer(Need::OwnBearer { recent_login: true }));
        assert_eq!(of(own(false)), Access::Bearer(Need::OwnBearer { recent_login: false }));
        assert_eq!(of(Some(role("admin"))), Access::Bearer(Need::Role(RoleName::parse("admin").unwrap())));
        let public = Some(pb::Access { rule: Some(Rule::Public(pb::access::Public {})) });
        assert_eq!(of(public), Access::Public);
    }
}
