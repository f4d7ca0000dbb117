//! Redis: haste, never truth. Shared rate limits, and word of revocations between replicas.
//!
//! Owns keys and channels under `{namespace}:`. May import `domain`. Must not know a use case or the database. Whatever
//! happens to Redis, nothing here fails: limits become local, revocations are found by reading the table.

mod address;
mod breaker;
mod cluster;
mod inspect;
mod link;
mod pool;
mod signal;
mod throttle;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::domain::clock::Clock;
use crate::domain::ports::{RevocationSignal, Throttle};

use address::Address;
pub use inspect::{Inspection, Unreachable, inspect};
use link::Link;
use pool::Pool;
use signal::RedisSignal;
use throttle::RedisThrottle;

/// How to reach Redis.
#[derive(Clone)]
pub struct Settings {
    /// `redis://`, `rediss://` (TLS), or `redis+cluster://user:password@host:port,host:port` (`rediss+cluster://`).
    pub url: Zeroizing<String>,
    /// What separates this service's keys from others' on the same server: letters, digits and hyphens.
    pub namespace: String,
    pub max_connections: usize,
    /// By how much Redis may slow a request at most, connecting included.
    pub timeout: Duration,
    /// Certificates (PEM) that are trusted beside those of the system's authorities.
    pub authorities: Option<Arc<str>>,
}

impl Settings {
    /// The defaults for this URL: namespace `keystead`, 16 connections, 100 ms.
    pub fn new(url: String) -> Self {
        Self {
            url: Zeroizing::new(url),
            namespace: "keystead".to_owned(),
            max_connections: 16,
            timeout: Duration::from_millis(100),
            authorities: None,
        }
    }

    /// Every fault of these settings; empty if they will do.
    pub fn validate(&self) -> Vec<SettingsFault> {
        let is_name_character = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let named = !self.namespace.is_empty() && self.namespace.chars().all(is_name_character);
        let faults = [
            (Address::parse(&self.url).is_err(), SettingsFault::Url),
            (matches!(self.address(), Err(SettingsFault::Authorities)), SettingsFault::Authorities),
            (!named, SettingsFault::Namespace),
            (self.max_connections == 0, SettingsFault::Connections),
            (self.timeout.is_zero() || self.timeout > Duration::from_secs(1), SettingsFault::Timeout),
        ];
        faults.into_iter().filter_map(|(is_fault, fault)| is_fault.then_some(fault)).collect()
    }

    fn address(&self) -> Result<Address, SettingsFault> {
        let address = Address::parse(&self.url)?;
        match &self.authorities {
            None => Ok(address),
            Some(authorities) => address.trusting(authorities),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("namespace", &self.namespace)
            .field("max_connections", &self.max_connections)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a setting. It names the rule, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    #[error("the URL must be redis://, rediss://, redis+cluster:// or rediss+cluster://, with a host and no fragment")]
    Url,
    #[error("the namespace must be of letters, digits and hyphens")]
    Namespace,
    #[error("there must be at least one connection")]
    Connections,
    #[error("the authorities must be certificates in PEM")]
    Authorities,
    #[error("the timeout must be more than nothing and at most one second")]
    Timeout,
}

/// Everything that Keystead has Redis do.
pub struct Redis {
    link: Arc<Link>,
    throttle: Arc<RedisThrottle>,
    signal: Arc<RedisSignal>,
}

impl Redis {
    /// Starts without waiting for Redis, which may be away. `local` counts beside it, and judges alone while it does not
    /// answer. Must be called within a Tokio runtime.
    pub fn connect(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        local: Arc<dyn Throttle>,
    ) -> Result<Self, SettingsFault> {
        let address = settings.address()?;
        let link = Arc::new(Link::new(Pool::new(&address, settings)?, clock, settings.timeout));
        let throttle = RedisThrottle::new(Arc::clone(&link), &settings.namespace, local);
        // Has a connection ready for the first request, which may have no time to make one.
        tokio::spawn(throttle.clone().probe());
        let signal = RedisSignal::start(Arc::clone(&link), throttle.clone(), address.nodes, &settings.namespace);
        Ok(Self { link, throttle: Arc::new(throttle), signal: Arc::new(signal) })
    }

    pub fn throttle(&self) -> Arc<dyn Throttle> {
        Arc::clone(&self.throttle) as Arc<dyn Throttle>
    }

    pub fn signal(&self) -> Arc<dyn RevocationSignal> {
        Arc::clone(&self.signal) as Arc<dyn RevocationSignal>
    }

    /// Connections of the pool: those that are open, and how many may be.
    pub fn connections(&self) -> (usize, usize) {
        self.link.connections()
    }

    /// Whether Redis is being left alone, so that limits are local: for health and metrics. Where no request comes,
    /// nobody finds out that it is back.
    pub fn is_degraded(&self) -> bool {
        self.link.is_open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_every_fault_and_no_value() {
        assert_eq!(Settings::new("redis://cache".to_owned()).validate(), []);
        let wrong = Settings {
            namespace: "a}b".to_owned(),
            max_connections: 0,
            timeout: Duration::ZERO,
            ..Settings::new("cache".to_owned())
        };
        let every = [SettingsFault::Url, SettingsFault::Namespace, SettingsFault::Connections, SettingsFault::Timeout];
        assert_eq!(wrong.validate(), every);
        assert!(!format!("{:?}", Settings::new("redis://user:canary@cache".to_owned())).contains("canary"));
    }
}
