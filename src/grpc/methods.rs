//! Every method that is served, by its exact path, read from the descriptors.

use std::collections::HashMap;

use super::access::{self, Access, AccessFault, Declared};
use super::pb;

const DEFAULT_MESSAGE_LIMIT: usize = 64 * 1024;
/// Of messages that bring many things at once.
const BATCH_MESSAGE_LIMIT: usize = 1024 * 1024;

const VERIFY_TOKEN: &str = "/keystead.v1.AuthService/VerifyToken";
const BATCH_VERIFY_TOKENS: &str = "/keystead.v1.AuthService/BatchVerifyTokens";
const IMPORT_USERS: &str = "/keystead.v1.AdminService/ImportUsers";
const WATCH_REVOCATIONS: &str = "/keystead.v1.TokenService/WatchRevocations";

/// What is to be known of a method before it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// `/package.Service/Method`.
    pub path: String,
    /// The largest message that it takes, in bytes.
    pub message_limit: usize,
    /// How many messages a call of it has.
    pub messages: Messages,
    /// Who may call it.
    pub access: Access,
    /// Whether a call that succeeds leaves a line in the log.
    pub logged: Logged,
    /// Its place among those that are served, by which its calls are counted.
    pub number: usize,
}

impl Method {
    /// The method's name without its service.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// How many messages a caller sends in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    One,
    /// A stream of them.
    Many,
}

/// Whether a call that succeeds leaves a line in the log; one that fails always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    Yes,
    /// Machines call it so often that its successes would drown the rest (promise G2).
    FailuresOnly,
}

/// The methods that are served.
#[derive(Debug)]
pub struct Methods(HashMap<String, Method>);

impl Methods {
    /// The methods of `keystead.v1` and of health, and those of reflection where it is on. Fails where the contract does
    /// not say who may call a method.
    pub fn served(reflection: bool) -> Result<Self, AccessFault> {
        let mut sets = vec![pb::FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET];
        if reflection {
            sets.push(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET);
            sets.push(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET);
        }
        let mut methods = HashMap::new();
        for set in sets {
            for declared in access::declared(set)? {
                methods.insert(declared.path.clone(), of(declared, methods.len()));
            }
        }
        Ok(Self(methods))
    }

    /// Every path, in the order of their numbers.
    pub fn paths(&self) -> Vec<String> {
        let mut methods: Vec<&Method> = self.0.values().collect();
        methods.sort_by_key(|method| method.number);
        methods.into_iter().map(|method| method.path.clone()).collect()
    }

    /// Lets everybody follow the revocations, without a bearer.
    #[must_use]
    pub fn with_open_feed(mut self) -> Self {
        if let Some(watch) = self.0.get_mut(WATCH_REVOCATIONS) {
            watch.access = Access::Public;
        }
        self
    }

    /// The method with exactly this path.
    pub fn find(&self, path: &str) -> Option<&Method> {
        self.0.get(path)
    }
}

fn of(declared: Declared, number: usize) -> Method {
    let Declared { path, access, client_streaming } = declared;
    let messages = if client_streaming { Messages::Many } else { Messages::One };
    let is_batch = path == BATCH_VERIFY_TOKENS || path == IMPORT_USERS;
    let message_limit = if is_batch { BATCH_MESSAGE_LIMIT } else { DEFAULT_MESSAGE_LIMIT };
    let foreign = !path.starts_with("/keystead.");
    let logged =
        if foreign || path == VERIFY_TOKEN || path == BATCH_VERIFY_TOKENS { Logged::FailuresOnly } else { Logged::Yes };
    Method { path, message_limit, messages, access, logged, number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_found_by_their_exact_path_alone() {
        let methods = Methods::served(true).expect("descriptors");
        for path in [
            "/keystead.v1.AuthService/Login",
            "/keystead.v1.TokenService/GetJwks",
            "/grpc.health.v1.Health/Watch",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        ] {
            assert_eq!(methods.find(path).map(|method| method.path.as_str()), Some(path));
        }
        for path in [
            "",
            "/",
            "/keystead.v1.AuthService/login",
            "/keystead.v1.AuthService/Login/",
            "//keystead.v1.AuthService/Login",
        ] {
            assert_eq!(methods.find(path), None, "{path}");
        }
    }

    #[test]
    fn reflection_is_served_only_where_it_is_on() {
        let methods = Methods::served(false).expect("descriptors");
        assert_eq!(methods.find("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"), None);
    }

    // promise N2
    #[test]
    fn only_batches_take_more_than_64_kib() {
        let methods = Methods::served(true).expect("descriptors");
        let large = methods.0.values().filter(|method| method.message_limit != 64 * 1024);
        let mut large: Vec<_> = large.map(|method| (method.path.as_str(), method.message_limit)).collect();
        large.sort_unstable();
        assert_eq!(large, [(IMPORT_USERS, 1024 * 1024), (BATCH_VERIFY_TOKENS, 1024 * 1024)]);
    }

    #[test]
    fn only_an_import_and_reflection_take_a_stream_of_messages() {
        let methods = Methods::served(true).expect("descriptors");
        let streams = methods.0.values().filter(|method| method.messages == Messages::Many);
        let mut others = streams.filter(|method| !method.path.ends_with(".ServerReflection/ServerReflectionInfo"));
        assert_eq!(others.next().map(|method| method.path.as_str()), Some(IMPORT_USERS));
        assert_eq!(others.next(), None);
        let reflection = methods.find("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo").unwrap();
        assert_eq!(reflection.messages, Messages::Many);
    }

    #[test]
    fn each_method_has_a_number_of_its_own_from_nought_on() {
        let methods = Methods::served(true).expect("descriptors");
        let paths = methods.paths();
        assert!(paths.len() > 60, "{paths:?}");
        for (number, path) in paths.iter().enumerate() {
            assert_eq!(methods.find(path).map(|method| method.number), Some(number));
        }
    }

    // promise A1
    #[test]
    fn an_open_feed_opens_the_feed_alone() {
        let declared = Methods::served(true).expect("descriptors");
        let open = Methods::served(true).expect("descriptors").with_open_feed();
        assert_eq!(open.find(WATCH_REVOCATIONS).map(|method| &method.access), Some(&Access::Public));
        let changed = declared.0.values().filter(|method| open.find(&method.path) != Some(method));
        assert_eq!(changed.map(|method| method.path.as_str()).collect::<Vec<_>>(), [WATCH_REVOCATIONS]);
    }

    // promise G2
    #[test]
    fn a_verified_token_leaves_no_line() {
        let methods = Methods::served(true).expect("descriptors");
        assert_eq!(methods.find(VERIFY_TOKEN).unwrap().logged, Logged::FailuresOnly);
        assert_eq!(methods.find("/keystead.v1.AuthService/Login").unwrap().logged, Logged::Yes);
    }
}
