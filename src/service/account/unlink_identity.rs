//! Takes an identity from the caller's account, and ends the caller's other sessions.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Caller;
use crate::domain::clock::Clock;
use crate::domain::id::IdentityId;
use crate::domain::identity::{Unlink, Unlinking};
use crate::domain::origin::Origin;
use crate::domain::ports::identities::Identities;
use crate::domain::rights::sessions_ended;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Takes an identity from the caller's account.
pub struct UnlinkIdentity {
    pub identities: Arc<dyn Identities>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
}

impl UnlinkIdentity {
    pub async fn run(&self, identity_id: IdentityId, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        let user_id = owner(caller)?;
        let context = caller.context(origin, self.clock.now());
        let revocations_expire_at = self.issuer.revocations_expire_at(context.at);
        let unlink = Unlink { user_id, session_id: caller.session, identity_id, revocations_expire_at };
        match self.identities.unlink(&unlink, &context).await? {
            Unlinking::Unlinked { provider, revocations, ended } => {
                self.revoker.tell(&revocations).await;
                let event = AuditEvent::by_actor(AuditKind::IdentityUnlinked, Some(user_id.into()), &context);
                security_event::log(&AuditEvent { detail: Some(provider.to_string()), ..event }, origin);
                security_event::log_all(&sessions_ended(user_id, &ended, &context), origin);
                Ok(())
            }
            Unlinking::Unknown => Err(ServiceError::IdentityUnknown),
            Unlinking::LastSignInMethod => Err(ServiceError::LastSignInMethod),
            Unlinking::Refused => Err(ServiceError::BearerRequired),
        }
    }
}
