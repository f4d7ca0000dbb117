//! What the providers are set to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use http::Uri;
use zeroize::Zeroizing;

use crate::domain::identity::{Issuer, ProviderName};

/// Google's issuer (its discovery document says the same).
pub const GOOGLE: &str = "https://accounts.google.com";
/// Where GitHub is, unless it is an own one (GitHub Enterprise Server).
pub const GITHUB: &str = "https://github.com";

/// What a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// OpenID Connect at Google.
    Google,
    /// OAuth 2.0 at GitHub, which has an API of its own for who somebody is.
    GitHub,
    /// OpenID Connect at any issuer, by discovery.
    Oidc,
}

impl ProviderKind {
    /// What is asked for where nothing else is set: whom it is, and their address.
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Google | Self::Oidc => &["openid", "email", "profile"],
            Self::GitHub => &["read:user", "user:email"],
        }
    }

    /// Where it is; `None` where that has to be set.
    pub const fn issuer(self) -> Option<&'static str> {
        match self {
            Self::Google => Some(GOOGLE),
            Self::GitHub => Some(GITHUB),
            Self::Oidc => None,
        }
    }
}

/// One provider.
#[derive(Clone)]
pub struct ProviderSettings {
    pub name: ProviderName,
    pub kind: ProviderKind,
    /// Compared byte by byte with what the provider says of itself; part of every identity there. A GitHub's has no slash
    /// at its end.
    pub issuer: Issuer,
    pub client_id: String,
    pub client_secret: Zeroizing<String>,
    pub scopes: Vec<String>,
    /// Where the provider sends browsers back to: a URI of this provider's own (promise O4).
    pub callback: String,
}

impl fmt::Debug for ProviderSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ProviderSettings")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Every provider.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub providers: Vec<ProviderSettings>,
    /// Certificates (PEM) that are trusted beside those of the public authorities.
    pub authorities: Option<Arc<str>>,
    /// Whether a provider on this machine is spoken to in clear text; for tests and development.
    pub allow_loopback_http: bool,
}

impl Settings {
    /// Whether calls may go there: HTTPS, or this machine where that is allowed.
    pub fn allows(&self, url: &str) -> bool {
        is_allowed(url, self.allow_loopback_http)
    }
}

/// Whether a URL is one to call: HTTPS with a host and without user and fragment, or plain HTTP on the loopback.
pub fn is_allowed(url: &str, loopback_http: bool) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    // A browser takes a backslash for a slash, and so might go to another host.
    if authority.as_str().contains('@') || url.contains(['#', '\\']) || authority.host().is_empty() {
        return false;
    }
    if !is_one_host(authority.host()) {
        return false;
    }
    // A port that is none would be passed over in silence.
    if !authority.as_str().strip_prefix(authority.host()).is_some_and(|port| port.is_empty() || is_port(port)) {
        return false;
    }
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => loopback_http && is_loopback(authority.host()),
        _ => false,
    }
}

/// Whether a host that looks like an address is one, in the spelling that has one reading.
fn is_one_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|bare| bare.parse::<Ipv6Addr>().is_ok()),
        None => !ends_in_a_number(host) || host.parse::<Ipv4Addr>().is_ok(),
    }
}

/// What a browser takes for an IPv4 address, in whatever spelling (WHATWG URL, "ends in a number checker").
fn ends_in_a_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse::<u16>().ok()).is_some_and(|port| port > 0)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    // promise O8
    #[test]
    fn calls_go_by_https_and_in_clear_text_to_this_machine_alone_where_that_is_allowed() {
        for url in [
            "https://idp.example.com",
            "https://idp.example.com:8443/a?b=c",
            "https://[2001:db8::1]/",
            "https://192.0.2.1/",
        ] {
            assert!(is_allowed(url, false), "{url}");
        }
        for url in ["http://127.0.0.1:9000/a", "http://localhost/", "http://[::1]:1/"] {
            assert!(!is_allowed(url, false) && is_allowed(url, true), "{url}");
        }
        for url in [
            "",
            "https://",
            "/path",
            "ftp://idp.example.com",
            "http://idp.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "https://user@idp.example.com",
            "http://localhost@evil.example",
            "https://idp.example.com/#a",
            "https://idp.example.com:",
            "https://idp.example.com:/a",
            "https://idp.example.com:12x/",
            "https://idp.example.com:65536/",
            "https://idp.example.com:0/",
            "https://idp.example.com:+1/",
            "https://[2001:db8::1]:/",
            "https://256.256.256.256/",
            "https://0x7f.1/",
            "https://idp.0X/",
            "https://2130706433/",
            "https://[::ffff:1.2]/",
            "https://127.0.0.1./",
            "https://idp.example.com\\@evil.example/",
            "https://idp.example.com/\\evil.example",
        ] {
            assert!(!is_allowed(url, true), "{url}");
        }
    }

    // promise S1
    #[test]
    fn the_secret_is_not_printed() {
        let provider = ProviderSettings {
            name: ProviderName::parse("google").unwrap(),
            kind: ProviderKind::Google,
            issuer: Issuer::parse(GOOGLE).unwrap(),
            client_id: "id".to_owned(),
            client_secret: "canary".to_owned().into(),
            scopes: Vec::new(),
            callback: String::new(),
        };
        assert!(!format!("{provider:?}").contains("canary"));
    }
}
