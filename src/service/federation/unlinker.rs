//! Takes identities from accounts: the one way of owners and administrators.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::{IdentityId, SessionId, UserId};
use crate::domain::identity::{Unlink, Unlinking};
use crate::domain::ports::identities::Identities;
use crate::domain::rights::sessions_ended;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Takes identities from accounts.
pub struct Unlinker {
    pub identities: Arc<dyn Identities>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
}

/// Which identity, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnlinkRequest {
    pub user: UserId,
    pub identity: IdentityId,
}

impl Unlinker {
    /// `owner_session` goes on; `None` means that somebody else than the owner asks.
    pub async fn unlink(
        &self,
        request: UnlinkRequest,
        owner_session: Option<SessionId>,
        by: &Initiator,
    ) -> ServiceResult<()> {
        let UnlinkRequest { user, identity } = request;
        let context = by.context(self.clock.now());
        let revocations_expire_at = self.issuer.revocations_expire_at(context.at);
        let unlink = Unlink { user_id: user, owner_session, identity_id: identity, revocations_expire_at };
        match self.identities.unlink(&unlink, &context).await? {
            Unlinking::Unlinked { provider, revocations, ended } => {
                self.revoker.tell(&revocations).await;
                let event = AuditEvent::by_actor(AuditKind::IdentityUnlinked, Some(user.into()), &context);
                security_event::log(&AuditEvent { detail: Some(provider.to_string()), ..event }, &by.origin);
                security_event::log_all(&sessions_ended(user, &ended, &context), &by.origin);
                Ok(())
            }
            Unlinking::Unknown => Err(ServiceError::IdentityUnknown),
            Unlinking::LastSignInMethod => Err(ServiceError::LastSignInMethod),
            Unlinking::Refused if owner_session.is_some() => Err(ServiceError::BearerRequired),
            Unlinking::Refused => Err(ServiceError::UserUnknown),
        }
    }
}
