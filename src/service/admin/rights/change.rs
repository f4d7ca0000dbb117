//! The one way in which what an account may do is changed: written, made to count, and told.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::UserId;
use crate::domain::ports::rights::Rights;
use crate::domain::rights::{RightsChange, RightsOutcome, sessions_ended};
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Changes what an account may do.
pub struct ChangeRights {
    pub rights: Arc<dyn Rights>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    /// For how long after its issue an access token can be accepted.
    pub token_reach: Duration,
}

impl ChangeRights {
    /// The account as it then stands; also where it stood so already. Nobody demotes themselves.
    pub async fn run(&self, user: UserId, change: RightsChange, by: &Initiator) -> ServiceResult<User> {
        if change.demotes() && by.is(user) {
            return Err(ServiceError::SelfDemotion);
        }
        let context = by.context(self.clock.now());
        let expire_at = context.at.after(self.token_reach);
        match self.rights.change(user, &change, expire_at, &context).await? {
            RightsOutcome::Changed { user, revocations, ended } => {
                self.revoker.tell(&revocations).await;
                security_event::log(&change.event(user.id, &context), &by.origin);
                security_event::log_all(&sessions_ended(user.id, &ended, &context), &by.origin);
                Ok(user)
            }
            RightsOutcome::Unchanged(user) => Ok(user),
            RightsOutcome::UserUnknown => Err(ServiceError::UserUnknown),
            RightsOutcome::RoleUnknown => Err(ServiceError::RoleUnknown),
            RightsOutcome::TooManyRoles => Err(ServiceError::LimitReached),
            RightsOutcome::LastAdmin => Err(ServiceError::LastAdmin),
        }
    }
}
