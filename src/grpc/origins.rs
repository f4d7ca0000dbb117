//! Where a request comes from, also for an edge beside this one that stands behind the same proxies.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;

use super::settings::Settings;
use super::source::ProxyTrust;
use super::trace::Traces;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::deadline::Deadline;
use crate::domain::origin::Origin;

/// Knows where requests come from.
pub struct Origins {
    proxies: ProxyTrust,
    traces: Traces,
    clock: Arc<dyn Clock>,
    max_deadline: std::time::Duration,
}

impl Origins {
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let proxies = ProxyTrust { proxies: settings.trusted_proxies.clone(), header: settings.forwarded_header };
        Self { proxies, traces: Traces::new(entropy), clock, max_deadline: settings.max_deadline }
    }

    /// The origin of a request with these headers from this peer.
    pub fn of(&self, peer: IpAddr, headers: &HeaderMap) -> Origin {
        Origin {
            source: Some(self.proxies.source(peer, headers)),
            trace_id: self.traces.id(headers),
            deadline: Deadline::after(self.clock.monotonic(), self.max_deadline),
        }
    }
}
