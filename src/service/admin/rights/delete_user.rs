//! Deletes an account with everything personal in it.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::UserId;
use crate::domain::ports::Users;
use crate::domain::ports::rights::Rights;
use crate::domain::rights::{DeletionOutcome, UserDeletion};
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Deletes an account with everything personal in it.
pub struct DeleteUser {
    pub users: Arc<dyn Users>,
    pub rights: Arc<dyn Rights>,
    pub guard: Arc<SecretGuard>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    /// For how long after its issue an access token can be accepted.
    pub token_reach: Duration,
}

impl DeleteUser {
    /// Deletes somebody else's account. Administrators do not delete their own here.
    pub async fn run(&self, user: UserId, by: &Initiator) -> ServiceResult<()> {
        if by.is(user) {
            return Err(ServiceError::SelfDemotion);
        }
        self.delete(user, by).await
    }

    /// Deletes whosever account it is.
    pub async fn delete(&self, user: UserId, by: &Initiator) -> ServiceResult<()> {
        let account = self.users.find(user).await?.ok_or(ServiceError::UserUnknown)?;
        let context = by.context(self.clock.now());
        let deletion = UserDeletion {
            user,
            account_key: self.guard.attempt_keys(&account.email, &by.origin).account,
            revocations_expire_at: context.at.after(self.token_reach),
        };
        match self.rights.delete(deletion, &context).await? {
            DeletionOutcome::Deleted { revocations } => {
                self.revoker.tell(&revocations).await;
                let told = AuditEvent::by_actor(AuditKind::UserDeleted, Some(user.into()), &context);
                security_event::log(&told, &by.origin);
                Ok(())
            }
            DeletionOutcome::UserUnknown => Err(ServiceError::UserUnknown),
            DeletionOutcome::LastAdmin => Err(ServiceError::LastAdmin),
        }
    }
}
