//! Removes a signing key in an emergency: what it has signed, and will ever sign, is refused.

use std::sync::Arc;
use std::time::Duration;

use super::told::key_event;
use crate::domain::audit::AuditKind;
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::key::{KeyState, RingChange, StoredKey};
use crate::domain::ports::AuditContext;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::stored_ring::{Decision, StoredRing, move_to, signing, signing_in};
use crate::service::token::revoker::Revoker;

/// Removes a signing key in an emergency.
pub struct RevokeSigningKey {
    pub ring: Arc<StoredRing>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    /// For how long after its issue an access token can be accepted.
    pub token_reach: Duration,
}

impl RevokeSigningKey {
    /// Where the key is the one that signs, the next one takes its place at once, or a new one: verifiers that keep the
    /// key set may have to fetch it again.
    pub async fn run(&self, id: &str, by: &Initiator) -> ServiceResult<()> {
        let context = by.context(self.clock.now());
        let revocation = self.ring.change(&context, |keys| self.decide(keys, id, &context)).await?;
        self.revoker.tell(&[revocation]).await;
        Ok(())
    }

    fn decide(&self, keys: &[StoredKey], id: &str, context: &AuditContext) -> ServiceResult<Decision<Revocation>> {
        let revoked = signing(keys).find(|key| key.id == id).ok_or(ServiceError::SigningKeyUnknown)?;
        let mut events = vec![key_event(AuditKind::KeyRevoked, id, context)];
        let mut left: Vec<StoredKey> = keys.iter().filter(|key| key.id != id).cloned().collect();
        if revoked.state == KeyState::Active {
            let successor = self.promote(&mut left, context)?;
            events.push(key_event(AuditKind::KeyActivated, &successor, context));
        }
        let revocation = self.revocation(id, context);
        let change = RingChange { keys: left, revocations: vec![revocation.clone()], events };
        Ok(Decision { change: Some(change), outcome: revocation })
    }

    /// Makes the next key the one that signs, or a new one where there is none; gives its id.
    fn promote(&self, keys: &mut Vec<StoredKey>, context: &AuditContext) -> ServiceResult<String> {
        if let Some(next) = signing_in(keys, KeyState::Next).map(|next| next.id.clone()) {
            move_to(keys, &next, KeyState::Active, context.at);
            return Ok(next);
        }
        let key = self.ring.generate(keys, KeyState::Active, context.at)?;
        let id = key.id.clone();
        keys.push(key);
        Ok(id)
    }

    /// It matters for as long as somebody may keep the published key, and a token made in the last of that time lives.
    fn revocation(&self, id: &str, context: &AuditContext) -> Revocation {
        let kept_for = self.ring.settings.publish_lead() + self.token_reach;
        Revocation { target: RevocationTarget::Key(id.to_owned()), expires_at: context.at.after(kept_for) }
    }
}
