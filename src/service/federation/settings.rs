//! Which providers there are, and where browsers may go on to.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::identity::ProviderName;

/// How long a flow may take: to sign in at the provider, with a second factor there.
pub const FLOW_LIFETIME: Duration = Duration::from_mins(10);
/// How long a one-time code works: who is sent back uses it at once.
pub const CODE_LIFETIME: Duration = Duration::from_mins(1);

/// Which providers there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FederationSettings {
    /// Where browsers may go on to after each provider, byte for byte (promise O5).
    pub redirects: BTreeMap<ProviderName, Vec<String>>,
}

impl FederationSettings {
    /// Whether a browser may be sent there at all.
    pub fn is_redirect(uri: &str) -> bool {
        is_redirect(uri)
    }
}

/// HTTPS, HTTP on this machine, or a private scheme of an app (RFC 8252, section 7), without a user, who could be taken
/// for the host, and without a fragment (RFC 6749, section 3.1.2).
fn is_redirect(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-+".contains(&byte));
    // Visible ASCII alone, so that it fits into a header as it is.
    let is_plain = uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains('#');
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let has_user = authority.is_some_and(|authority| authority.contains('@'));
    let is_local = |authority: &str| {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    };
    let is_target = match scheme {
        "https" => authority.is_some_and(|authority| !authority.is_empty()),
        "http" => authority.is_some_and(is_local),
        // Reversed domain names (RFC 8252, section 7.1); so neither `javascript` nor `data`.
        other => other.contains('.') && !rest.is_empty(),
    };
    is_scheme && is_plain && is_target && !has_user
}

#[cfg(test)]
mod tests {
    use super::*;

    // promise O5
    #[test]
    fn browsers_are_sent_to_https_this_machine_or_an_app() {
        for uri in [
            "https://app.example.com/signed-in",
            "https://app.example.com",
            "https://app.example.com/@ada",
            "http://localhost:3000/cb",
            "http://127.0.0.1/cb?x=y",
            "http://[::1]:9/",
            "com.example.app:/signed-in",
        ] {
            assert!(is_redirect(uri), "{uri}");
        }
        for uri in [
            "",
            "https://",
            "/cb",
            "HTTPS://app.example.com/",
            "http://app.example.com/cb",
            "http://localhost.example.com/",
            "http://localhost:80@evil.example/",
            "https://app.example.com@evil.example/",
            "com.example.app://user@host/",
            "https://app.example.com/#a",
            "https://app.example.com/a b",
            "https://app.example.com/\r\nset-cookie:a",
            "https://äpp.example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert!(!is_redirect(uri), "{uri}");
        }
    }
}
