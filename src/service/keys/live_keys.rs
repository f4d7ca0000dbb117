//! The key ring in use, and whether it is fresh enough to sign with.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::Clock;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::token::revocation_state::RevocationState;

/// When to ask again while the ring is too old to sign with.
const STALE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A ring, and when it was the newest.
struct Loaded {
    ring: Arc<KeyRing>,
    /// Of the monotonic clock.
    read_at: Duration,
}

/// The key ring in use.
pub struct LiveKeys {
    loaded: ArcSwap<Loaded>,
    revocations: Arc<RevocationState>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
}

impl LiveKeys {
    /// `max_age` is the lead with which keys are published: a ring read longer ago may lack a key that others sign
    /// with, and may sign with one that others have given up. `read_at` is the monotonic time before it was read.
    pub fn new(
        ring: KeyRing,
        read_at: Duration,
        revocations: Arc<RevocationState>,
        clock: Arc<dyn Clock>,
        max_age: Duration,
    ) -> Self {
        Self { loaded: ArcSwap::from_pointee(Loaded { ring: Arc::new(ring), read_at }), revocations, clock, max_age }
    }

    /// The ring, however old: to verify and to publish.
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.loaded.load().ring)
    }

    /// The ring, if it is fresh enough to sign with and its key has not been revoked meanwhile.
    pub fn signing_ring(&self) -> ServiceResult<Arc<KeyRing>> {
        let loaded = self.loaded.load();
        let age = self.clock.monotonic().saturating_sub(loaded.read_at);
        if age > self.max_age || self.revocations.index().is_key_revoked(loaded.ring.active_signing_key_id()) {
            return Err(ServiceError::DependencyUnavailable { retry_after: STALE_RETRY_AFTER });
        }
        Ok(Arc::clone(&loaded.ring))
    }

    /// How long ago the ring was the newest.
    pub fn age(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.loaded.load().read_at)
    }

    /// Puts a ring into use, unless one that was read later is already there.
    ///
    /// The database is the authority: a lower version is what a failover or a restored backup has left, and is used.
    pub fn replace(&self, ring: Arc<KeyRing>, read_at: Duration) {
        let next = Arc::new(Loaded { ring, read_at });
        let before =
            self.loaded.rcu(|current| Arc::clone(if next.read_at >= current.read_at { &next } else { current }));
        if next.ring.version() < before.ring.version() {
            tracing::warn!(from = before.ring.version(), to = next.ring.version(), "the key ring's version went back");
        }
    }
}
