//! What an operator can set of the HTTP edge.

use std::net::{Ipv4Addr, SocketAddr};

use crate::domain::network::Network;
use crate::domain::proxies::ForwardedHeader;

/// The settings of the HTTP edge. It speaks in clear text: what is to be encrypted stands behind a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the metrics are told, and there alone; `None`: beside everything else.
    pub metrics_listen: Option<SocketAddr>,
    /// Accepted connections; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Whether what carries secrets is served also on an address that is not loopback.
    pub allow_cleartext: bool,
    /// Where clients find the endpoints; `None`: at the issuer.
    pub public_url: Option<String>,
    /// Proxies that are believed when they say where a request comes from.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they say it.
    pub forwarded_header: ForwardedHeader,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8_080)),
            metrics_listen: None,
            max_connections: 1_000,
            allow_cleartext: false,
            public_url: None,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
        }
    }
}

/// A setting at fault: its key, and what is wrong, without its value.
pub type Fault = (&'static str, &'static str);

impl Settings {
    /// Whether requests that carry secrets are answered. Elsewhere their paths are not there, so that probes and keys can
    /// be served to a network that must not see a secret.
    pub fn takes_secrets(&self) -> bool {
        self.allow_cleartext || self.listen.ip().to_canonical().is_loopback()
    }

    /// Whether browsers reach it by TLS, so that cookies can be kept to that.
    pub fn is_secure(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Every fault.
    pub fn validate(&self) -> Vec<Fault> {
        if self.max_connections == 0 { vec![("max_connections", "must be at least 1")] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // promise N1
    #[test]
    fn secrets_in_clear_text_beyond_loopback_have_to_be_asked_for() {
        assert!(Settings::default().takes_secrets());
        let open = Settings { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8_080)), ..Settings::default() };
        assert!(!open.takes_secrets());
        assert!(Settings { allow_cleartext: true, ..open }.takes_secrets());
    }
}
