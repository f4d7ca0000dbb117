//! Seals every server key anew, under the current master key.

use std::sync::Arc;

use super::stored_ring::{Decision, StoredRing};
use crate::crypto::key_ring;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::key::{RingChange, StoredKey};
use crate::domain::ports::AuditContext;
use crate::service::error::{ServiceError, ServiceResult};

/// Seals every server key anew, under the current master key: all of them in one change, or none.
pub struct RotateMasterKey {
    pub ring: Arc<StoredRing>,
}

/// What became of the server keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasterRotation {
    /// How many were sealed under a former master key, and are no more.
    pub resealed: usize,
    /// How many are sealed under the current one, as they were read again.
    pub current: usize,
    /// How many are not.
    pub former: usize,
}

impl RotateMasterKey {
    pub async fn run(&self, by: &Initiator) -> ServiceResult<MasterRotation> {
        let context = by.context(self.ring.clock.now());
        let resealed = self.ring.change(&context, |keys| self.decide(keys, &context)).await?;
        let stored = self.ring.reload().await?;
        let current = stored.keys.iter().filter(|key| self.ring.master.is_current(key)).count();
        Ok(MasterRotation { resealed, current, former: stored.keys.len() - current })
    }

    fn decide(&self, keys: &[StoredKey], context: &AuditContext) -> ServiceResult<Decision<usize>> {
        let former = keys.iter().filter(|key| !self.ring.master.is_current(key)).count();
        if former == 0 {
            return Ok(Decision { change: None, outcome: 0 });
        }
        let keys: Vec<StoredKey> = keys.iter().map(|key| self.reseal(key)).collect::<Result<_, _>>()?;
        let event = AuditEvent::by_actor(AuditKind::MasterKeyRotated, None, context);
        let change = RingChange { keys, revocations: Vec::new(), events: vec![event] };
        Ok(Decision { change: Some(change), outcome: former })
    }

    fn reseal(&self, key: &StoredKey) -> ServiceResult<StoredKey> {
        if self.ring.master.is_current(key) {
            return Ok(key.clone());
        }
        key_ring::reseal(key, &self.ring.master, self.ring.entropy.as_ref()).map_err(|error| {
            tracing::error!(%error, "a stored key does not open");
            ServiceError::Internal
        })
    }
}

#[cfg(test)]
mod tests;
