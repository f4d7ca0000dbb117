//! Opens the key ring at the start, and makes the keys that are missing.

use std::sync::Arc;

use super::live_keys::LiveKeys;
use super::settings::KeySettings;
use crate::crypto::key_ring::{self, KeyRing, RingError};
use crate::crypto::master_keys::MasterKeys;
use crate::crypto::seal::SealingKey;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::{Clock, Entropy};
use crate::domain::deadline::Deadline;
use crate::domain::key::{KeyPurpose, KeyState, KeySwap, RingChange, StoredKey, StoredKeys};
use crate::domain::origin::{Origin, TraceId};
use crate::domain::ports::{AuditContext, Keys};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revocation_state::RevocationState;

/// Every purpose that needs an active key.
const PURPOSES: [KeyPurpose; 6] = [
    KeyPurpose::Signing,
    KeyPurpose::Refresh,
    KeyPurpose::Lookup,
    KeyPurpose::Mail,
    KeyPurpose::Page,
    KeyPurpose::Factor,
];

/// How often the keys are read again after another replica was first.
const MAX_TRIES: u32 = 5;

/// Why there is no key ring to start with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnsureError {
    #[error("the keys could not be read or written: {0}")]
    Service(#[from] ServiceError),
    #[error("the stored keys are no key ring: {0}")]
    Ring(#[from] RingError),
}

/// Opens the key ring at the start, and makes the keys that are missing.
pub struct EnsureKeys {
    pub keys: Arc<dyn Keys>,
    pub master: Arc<MasterKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: KeySettings,
    pub revocations: Arc<RevocationState>,
}

impl EnsureKeys {
    pub async fn run(&self) -> Result<LiveKeys, EnsureError> {
        for _ in 0..MAX_TRIES {
            let read_at = self.clock.monotonic();
            let stored = self.keys.load().await.map_err(ServiceError::from)?;
            let missing = missing(&stored);
            if missing.is_empty() {
                let ring = KeyRing::open(&stored, &self.master)?;
                let (revocations, clock) = (Arc::clone(&self.revocations), Arc::clone(&self.clock));
                return Ok(LiveKeys::new(ring, read_at, revocations, clock, self.settings.publish_lead()));
            }
            self.make(stored, &missing).await?;
        }
        Err(ServiceError::ConcurrentChange.into())
    }

    /// Whether this replica's keys are stored or another's is found out by reading again.
    async fn make(&self, stored: StoredKeys, missing: &[KeyPurpose]) -> ServiceResult<()> {
        let master = self.master.in_use(&stored.keys);
        let made: Vec<StoredKey> =
            missing.iter().map(|purpose| self.generate(*purpose, master)).collect::<Result<_, _>>()?;
        let events: Vec<AuditEvent> = made.iter().map(|key| key_event(AuditKind::KeyCreated, &key.id)).collect();
        let mut keys = stored.keys;
        keys.extend(made);
        let context = AuditContext { at: self.clock.now(), origin: in_background(), actor: None };
        let change = RingChange { keys, revocations: Vec::new(), events: events.clone() };
        let swap = self.keys.swap(stored.version, change, &context).await?;
        if swap == KeySwap::Swapped {
            security_event::log_all(&events, &context.origin);
        }
        Ok(())
    }

    fn generate(&self, purpose: KeyPurpose, master: &SealingKey) -> ServiceResult<StoredKey> {
        let now = self.clock.now();
        let algorithm = self.settings.algorithm;
        key_ring::generate(purpose, algorithm, KeyState::Active, master, self.entropy.as_ref(), now)
            .map_err(|_| ServiceError::Internal)
    }
}

fn missing(stored: &StoredKeys) -> Vec<KeyPurpose> {
    let active = |purpose| stored.keys.iter().any(|key| key.purpose == purpose && key.state == KeyState::Active);
    PURPOSES.into_iter().filter(|purpose| !active(*purpose)).collect()
}

/// An event of a key; its id is public.
pub fn key_event(kind: AuditKind, id: &str) -> AuditEvent {
    AuditEvent { detail: Some(id.to_owned()), ..security_event::event(kind, AuditOutcome::Success) }
}

/// Where work comes from that nobody asked for.
pub fn in_background() -> Origin {
    Origin { source: None, trace_id: TraceId([0; 16]), deadline: Deadline::NEVER }
}
