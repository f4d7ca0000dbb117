//! Reads the key ring again and again, and takes the steps that are due in the life of the signing keys.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::ensure::{in_background, key_event};
use super::plan::{self, Step};
use super::stored_ring::{Decision, StoredRing, move_to};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::key::{KeyState, RingChange, StoredKey};
use crate::domain::ports::AuditContext;
use crate::service::error::ServiceResult;
use crate::service::token::revocation_state::RevocationState;

/// Keeps the key ring fresh and rotates its signing keys. The keys of other purposes stay as they are.
pub struct MaintainKeys {
    pub ring: Arc<StoredRing>,
    pub revocations: Arc<RevocationState>,
    /// For how long after its issue an access token can be accepted.
    pub token_reach: Duration,
}

impl MaintainKeys {
    /// Reads the ring, takes one step if one is due, and puts what is then stored into use.
    pub async fn run_once(&self) -> ServiceResult<()> {
        let now = self.ring.clock.now();
        let context = AuditContext { at: now, origin: in_background(), actor: None };
        self.ring.change(&context, |keys| self.decide(keys, now)).await
    }

    /// Maintains until cancelled, at once when a key is revoked. While the keys cannot be read the ring ages, until it
    /// signs no more.
    pub async fn run(&self, cancelled: CancellationToken) {
        while !cancelled.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::warn!(%error, "the keys could not be maintained");
            }
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = self.revocations.key_revoked() => {}
                () = tokio::time::sleep(self.ring.settings.reload_interval) => {}
            }
        }
    }

    fn decide(&self, keys: &[StoredKey], now: Timestamp) -> ServiceResult<Decision<()>> {
        let step = plan::due(keys, &self.ring.settings, self.token_reach, now);
        let change = step.map(|step| self.take(&step, keys.to_vec(), now)).transpose()?;
        Ok(Decision { change, outcome: () })
    }

    fn take(&self, step: &Step, mut keys: Vec<StoredKey>, now: Timestamp) -> ServiceResult<RingChange> {
        let event: AuditEvent = match step {
            Step::Create => {
                let key = self.ring.generate(&keys, KeyState::Next, now)?;
                let event = key_event(AuditKind::KeyCreated, &key.id);
                keys.push(key);
                event
            }
            Step::Activate { next, retiring } => {
                move_to(&mut keys, next, KeyState::Active, now);
                move_to(&mut keys, retiring, KeyState::Retiring, now);
                key_event(AuditKind::KeyActivated, next)
            }
            Step::Remove { retired } => {
                keys.retain(|key| key.id != *retired);
                key_event(AuditKind::KeyRetired, retired)
            }
        };
        Ok(RingChange { keys, revocations: Vec::new(), events: vec![event] })
    }
}

#[cfg(test)]
mod tests;
