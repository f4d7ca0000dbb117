//! What an operator can set of the HTTP edge.

use std::net::{Ipv4Addr, SocketAddr};

/// The settings of the HTTP edge. It serves nothing secret, and in clear text: what is to be encrypted stands behind a
/// proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Accepted connections; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// By which browsers reach it.
    pub public_url: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8_080)),
            max_connections: 1_000,
            public_url: String::new(),
        }
    }
}

/// A setting at fault: its key, and what is wrong, without its value.
pub type Fault = (&'static str, &'static str);

impl Settings {
    /// Whether browsers reach it by TLS, so that cookies can be kept to that.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Every fault.
    pub fn validate(&self) -> Vec<Fault> {
        if self.max_connections == 0 { vec![("max_connections", "must be at least 1")] } else { Vec::new() }
    }
}
