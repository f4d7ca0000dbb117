//! Has the next signing key take over as soon as everybody can have it.

use std::sync::Arc;

use super::told::key_event;
use crate::domain::audit::AuditKind;
use crate::domain::caller::Initiator;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::key::{KeyState, RingChange, StoredKey};
use crate::service::error::ServiceResult;
use crate::service::keys::stored_ring::{Decision, StoredRing, signing_in};

/// Has the next signing key take over as soon as everybody can have it; makes it where there is none yet.
pub struct RotateSigningKey {
    pub ring: Arc<StoredRing>,
    pub clock: Arc<dyn Clock>,
}

/// The key that takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextKey {
    pub key: StoredKey,
    /// The earliest time at which it signs: it has been published for long enough by then.
    pub activates_at: Timestamp,
}

impl RotateSigningKey {
    pub async fn run(&self, by: &Initiator) -> ServiceResult<NextKey> {
        let context = by.context(self.clock.now());
        let next = self.ring.change(&context, |keys| {
            if let Some(next) = signing_in(keys, KeyState::Next) {
                return Ok(Decision { change: None, outcome: next.clone() });
            }
            let next = self.ring.generate(keys, KeyState::Next, context.at)?;
            let events = vec![key_event(AuditKind::KeyCreated, &next.id, &context)];
            let keys = keys.iter().chain([&next]).cloned().collect();
            Ok(Decision { change: Some(RingChange { keys, revocations: Vec::new(), events }), outcome: next })
        });
        let key = next.await?;
        let activates_at = key.created_at.after(self.ring.settings.publish_lead());
        Ok(NextKey { key, activates_at })
    }
}
