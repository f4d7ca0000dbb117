//! What an operator can set of the gRPC edge.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::web::is_origin;
use crate::domain::network::Network;
use crate::domain::proxies::ForwardedHeader;

/// The settings of the gRPC edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// A PEM file with the certificate and what leads to its root; TLS is on where it is set.
    pub tls_certificate: Option<PathBuf>,
    /// A PEM file with the certificate's private key, not readable by everybody.
    pub tls_private_key: Option<PathBuf>,
    /// A PEM file with the authorities that clients' certificates must come from; mTLS is on where it is set.
    pub tls_client_ca: Option<PathBuf>,
    /// Whether clear text is served on an address that is not loopback.
    pub allow_cleartext: bool,
    /// Whether reflection is served, to everybody.
    pub reflection: bool,
    /// Whether everybody may follow the revocations, without a bearer.
    pub open_revocation_feed: bool,
    /// The origins of the pages that may call by gRPC-Web; none closes it.
    pub web_origins: Vec<String>,
    /// The proxies that are believed when they say where a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they say it.
    pub forwarded_header: ForwardedHeader,
    /// Accepted connections; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Concurrent calls a connection.
    pub max_streams: u32,
    /// No call takes longer, whatever its caller asks for.
    pub max_deadline: Duration,
    /// A connection that is older is asked to go, so that clients spread over new replicas.
    pub connection_age: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_051)),
            tls_certificate: None,
            tls_private_key: None,
            tls_client_ca: None,
            allow_cleartext: false,
            reflection: true,
            open_revocation_feed: false,
            web_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            max_connections: 10_000,
            max_streams: 100,
            max_deadline: Duration::from_secs(30),
            connection_age: Duration::from_mins(30),
        }
    }
}

/// A setting at fault: its key, and what is wrong, without its value.
pub type Fault = (&'static str, &'static str);

impl Settings {
    /// Every fault that can be told without looking at files.
    pub fn validate(&self) -> Vec<Fault> {
        let tls = self.tls_certificate.is_some();
        let faults = [
            (tls && self.tls_private_key.is_none(), ("tls_private_key", "must be set where tls_certificate is")),
            (!tls && self.tls_private_key.is_some(), ("tls_certificate", "must be set where tls_private_key is")),
            (!tls && self.tls_client_ca.is_some(), ("tls_client_ca", "needs tls_certificate and tls_private_key")),
            (
                !tls && !self.allow_cleartext && !self.listen.ip().to_canonical().is_loopback(),
                ("listen", "needs TLS, or allow_cleartext, where it is not loopback"),
            ),
            (self.max_connections == 0, ("max_connections", "must be at least 1")),
            (self.max_streams == 0, ("max_streams", "must be at least 1")),
            (self.max_deadline.is_zero(), ("max_deadline", "must be more than nothing")),
            (
                !self.web_origins.iter().all(|origin| is_origin(origin)),
                ("web_origins", "must be origins, like https://app.example.com"),
            ),
            (self.connection_age < Duration::from_secs(1), ("connection_age", "must be at least a second")),
        ];
        faults.into_iter().filter_map(|(at_fault, fault)| at_fault.then_some(fault)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(settings: &Settings) -> Vec<&'static str> {
        settings.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(keys(&Settings::default()), [""; 0]);
    }

    // promise N1
    #[test]
    fn clear_text_beyond_loopback_has_to_be_asked_for() {
        let open = Settings { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), ..Settings::default() };
        assert_eq!(keys(&open), ["listen"]);
        assert_eq!(keys(&Settings { allow_cleartext: true, ..open.clone() }), [""; 0]);
        let files = (Some(PathBuf::from("c")), Some(PathBuf::from("k")));
        assert_eq!(keys(&Settings { tls_certificate: files.0, tls_private_key: files.1, ..open }), [""; 0]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let settings = Settings {
            tls_private_key: Some(PathBuf::from("k")),
            tls_client_ca: Some(PathBuf::from("a")),
            max_connections: 0,
            max_streams: 0,
            max_deadline: Duration::ZERO,
            web_origins: vec!["https://app.example.com/".to_owned()],
            connection_age: Duration::ZERO,
            ..Settings::default()
        };
        let expected = [
            "tls_certificate",
            "tls_client_ca",
            "max_connections",
            "max_streams",
            "max_deadline",
            "web_origins",
            "connection_age",
        ];
        assert_eq!(keys(&settings), expected);
    }
}
