//! Takes an account's password and identities, ends its sessions, and has its owner mailed a link that sets a new password.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::UserId;
use crate::domain::ports::user_directory::UserDirectory;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Takes what an account is signed in to by. Nobody but the owner learns or sets the next password.
pub struct RequirePasswordReset {
    pub directory: Arc<dyn UserDirectory>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
}

impl RequirePasswordReset {
    /// Allowed on oneself: the caller's own token is refused from then on.
    pub async fn run(&self, user: UserId, by: &Initiator) -> ServiceResult<()> {
        let context = by.context(self.clock.now());
        let expires_at = self.issuer.revocations_expire_at(context.at);
        let required = self.directory.require_reset(user, expires_at, &context).await?;
        let revocation = required.ok_or(ServiceError::UserUnknown)?;
        self.revoker.tell(&[revocation]).await;
        let event = AuditEvent::by_actor(AuditKind::ResetRequired, Some(user.into()), &context);
        security_event::log(&event, &by.origin);
        Ok(())
    }
}
