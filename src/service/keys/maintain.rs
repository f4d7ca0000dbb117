//! Reads the key ring again and again, and takes the steps that are due in the life of the signing keys.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::ensure::{in_background, key_event};
use super::live_keys::LiveKeys;
use super::plan::{self, Step};
use super::settings::KeySettings;
use crate::crypto::key_ring::{self, KeyRing};
use crate::crypto::seal::SealingKey;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::key::{KeyPurpose, KeyState, KeySwap, StoredKey, StoredKeys};
use crate::domain::ports::{AuditContext, Keys};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Keeps the key ring fresh and rotates its signing keys. The keys of other purposes stay as they are.
pub struct MaintainKeys {
    pub keys: Arc<dyn Keys>,
    pub live: Arc<LiveKeys>,
    pub master: Arc<SealingKey>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: KeySettings,
    /// For how long after its issue an access token can be accepted.
    pub token_reach: Duration,
}

impl MaintainKeys {
    /// Reads the ring, takes one step if one is due, and puts what is then stored into use.
    pub async fn run_once(&self) -> ServiceResult<()> {
        let stored = self.reload().await?;
        let now = self.clock.now();
        let Some(step) = plan::due(&stored.keys, &self.settings, self.token_reach, now) else {
            return Ok(());
        };
        let (keys, events) = self.take(&step, stored.keys, now)?;
        let context = AuditContext { at: now, origin: in_background(), actor: None };
        if self.keys.swap(stored.version, keys, events.clone(), &context).await? == KeySwap::Swapped {
            security_event::log_all(&events, &context.origin);
        }
        // Whoever was first: what is stored now counts.
        self.reload().await.map(drop)
    }

    /// Maintains until cancelled. While the keys cannot be read the ring ages, until it signs no more.
    pub async fn run(&self, cancelled: CancellationToken) {
        while !cancelled.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::warn!(%error, "the keys could not be maintained");
            }
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = tokio::time::sleep(self.settings.reload_interval) => {}
            }
        }
    }

    async fn reload(&self) -> ServiceResult<StoredKeys> {
        let read_at = self.clock.monotonic();
        let stored = self.keys.load().await?;
        let ring = self.live.ring();
        let ring = if ring.version() == stored.version { ring } else { Arc::new(self.open(&stored)?) };
        self.live.replace(ring, read_at);
        Ok(stored)
    }

    fn open(&self, stored: &StoredKeys) -> ServiceResult<KeyRing> {
        KeyRing::open(stored, &self.master).map_err(|error| {
            tracing::error!(%error, "the stored keys are no key ring");
            ServiceError::Internal
        })
    }

    fn take(
        &self,
        step: &Step,
        mut keys: Vec<StoredKey>,
        now: Timestamp,
    ) -> ServiceResult<(Vec<StoredKey>, Vec<AuditEvent>)> {
        let events = match step {
            Step::Create => {
                let key = self.generate(now)?;
                let event = key_event(AuditKind::KeyCreated, &key.id);
                keys.push(key);
                vec![event]
            }
            Step::Activate { next, retiring } => {
                move_to(&mut keys, next, KeyState::Active, now);
                move_to(&mut keys, retiring, KeyState::Retiring, now);
                vec![key_event(AuditKind::KeyActivated, next)]
            }
            Step::Remove { retired } => {
                keys.retain(|key| key.id != *retired);
                vec![key_event(AuditKind::KeyRetired, retired)]
            }
        };
        Ok((keys, events))
    }

    fn generate(&self, now: Timestamp) -> ServiceResult<StoredKey> {
        let (purpose, algorithm) = (KeyPurpose::Signing, self.settings.algorithm);
        key_ring::generate(purpose, algorithm, KeyState::Next, &self.master, self.entropy.as_ref(), now)
            .map_err(|_| ServiceError::Internal)
    }
}

fn move_to(keys: &mut [StoredKey], id: &str, state: KeyState, now: Timestamp) {
    for key in keys.iter_mut().filter(|key| key.id == id) {
        key.state = state;
        key.state_since = now;
    }
}

#[cfg(test)]
mod tests;
