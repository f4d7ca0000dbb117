//! Changes an account, if it is still what the change was decided on.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::ports::user_directory::UserDirectory;
use crate::domain::user::User;
use crate::domain::user_change::{UpdateOutcome, UserUpdate};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Changes an account.
pub struct UpdateUser {
    pub directory: Arc<dyn UserDirectory>,
    pub clock: Arc<dyn Clock>,
}

impl UpdateUser {
    pub async fn run(&self, update: UserUpdate, by: &Initiator) -> ServiceResult<User> {
        let context = by.context(self.clock.now());
        let told = |kind| AuditEvent::by_actor(kind, Some(update.id.into()), &context);
        match self.directory.update(&update, &context).await? {
            UpdateOutcome::Updated(user) => {
                let event = AuditEvent { detail: Some(update.fields()), ..told(AuditKind::UserUpdated) };
                security_event::log(&event, &by.origin);
                Ok(user)
            }
            UpdateOutcome::EmailTaken => {
                let refused = AuditEvent { outcome: AuditOutcome::Failure, ..told(AuditKind::EmailChanged) };
                security_event::log(&refused, &by.origin);
                Err(ServiceError::EmailTaken)
            }
            UpdateOutcome::Moved => Err(ServiceError::EtagMismatch),
            UpdateOutcome::Unknown => Err(ServiceError::UserUnknown),
        }
    }
}
