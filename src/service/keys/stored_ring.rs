//! The key ring as it is stored: read again, changed by compare-and-swap, and put into use.

use std::sync::Arc;

use super::live_keys::LiveKeys;
use super::settings::KeySettings;
use crate::crypto::key_ring::{self, KeyRing};
use crate::crypto::master_keys::MasterKeys;
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::key::{KeyPurpose, KeyState, KeySwap, RingChange, StoredKey, StoredKeys};
use crate::domain::ports::{AuditContext, Keys};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// How often a change is decided anew after another replica was first.
const MAX_TRIES: u32 = 5;

/// The key ring as it is stored.
pub struct StoredRing {
    pub keys: Arc<dyn Keys>,
    pub live: Arc<LiveKeys>,
    pub master: Arc<MasterKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: KeySettings,
}

/// What shall become of the keys, and what to answer once it has.
pub struct Decision<T> {
    /// `None` where they stay as they are.
    pub change: Option<RingChange>,
    pub outcome: T,
}

impl StoredRing {
    /// Reads the keys, and puts them into use where they have changed.
    pub async fn reload(&self) -> ServiceResult<StoredKeys> {
        let read_at = self.clock.monotonic();
        let stored = self.keys.load().await?;
        let ring = self.live.ring();
        let ring = if ring.version() == stored.version { ring } else { Arc::new(self.open(&stored)?) };
        self.live.replace(ring, read_at);
        Ok(stored)
    }

    /// Changes the keys as `decide` wants them; decides anew where another was first.
    pub async fn change<T>(
        &self,
        context: &AuditContext,
        decide: impl Fn(&[StoredKey]) -> ServiceResult<Decision<T>>,
    ) -> ServiceResult<T> {
        for _ in 0..MAX_TRIES {
            let stored = self.reload().await?;
            let Decision { change, outcome } = decide(&stored.keys)?;
            let Some(change) = change else { return Ok(outcome) };
            let events = change.events.clone();
            if self.keys.swap(stored.version, change, context).await? == KeySwap::Swapped {
                security_event::log_all(&events, &context.origin);
                self.use_soon().await;
                return Ok(outcome);
            }
        }
        Err(ServiceError::ConcurrentChange)
    }

    /// Makes a signing key, to stand beside `keys`.
    pub fn generate(&self, keys: &[StoredKey], state: KeyState, now: Timestamp) -> ServiceResult<StoredKey> {
        let (purpose, algorithm) = (KeyPurpose::Signing, self.settings.algorithm);
        key_ring::generate(purpose, algorithm, state, self.master.in_use(keys), self.entropy.as_ref(), now)
            .map_err(|_| ServiceError::Internal)
    }

    /// The change is committed, whether or not it can be read at once: the next round reads it.
    async fn use_soon(&self) {
        if let Err(error) = self.reload().await {
            tracing::warn!(%error, "the changed keys could not be read yet");
        }
    }

    fn open(&self, stored: &StoredKeys) -> ServiceResult<KeyRing> {
        KeyRing::open(stored, &self.master).map_err(|error| {
            tracing::error!(%error, "the stored keys are no key ring");
            ServiceError::Internal
        })
    }
}

/// Those of the keys that sign access tokens.
pub fn signing(keys: &[StoredKey]) -> impl Iterator<Item = &StoredKey> {
    keys.iter().filter(|key| key.purpose == KeyPurpose::Signing)
}

/// The signing key in this state; of two, which only [`KeyState::Retiring`] can have, the first.
pub fn signing_in(keys: &[StoredKey], state: KeyState) -> Option<&StoredKey> {
    signing(keys).find(|key| key.state == state)
}

/// Moves the key to a state.
pub fn move_to(keys: &mut [StoredKey], id: &str, state: KeyState, now: Timestamp) {
    for key in keys.iter_mut().filter(|key| key.id == id) {
        key.state = state;
        key.state_since = now;
    }
}
