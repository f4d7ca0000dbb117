//! Gives an account the address that a mailed token was sent to.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use crate::crypto::one_time_token;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::email_change::EmailChangeConfirmed;
use crate::domain::one_time_token::TokenPurpose;
use crate::domain::origin::Origin;
use crate::domain::ports::AuditContext;
use crate::domain::ports::email_changes::EmailChanges;
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Gives an account the address that a mailed token was sent to.
pub struct ConfirmEmailChange {
    pub changes: Arc<dyn EmailChanges>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

/// The token of the mail.
pub struct ConfirmEmailChangeRequest {
    pub email_change_token: String,
}

impl ConfirmEmailChange {
    pub async fn run(&self, request: ConfirmEmailChangeRequest, origin: &Origin) -> ServiceResult<User> {
        self.guard.admit_source(origin).await?;
        let hash = one_time_token::parse(TokenPurpose::EmailChange, &request.email_change_token);
        let hash = hash.ok_or(ServiceError::InvalidToken)?;
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        match self.changes.confirm(&hash, &context).await? {
            EmailChangeConfirmed::Refused => refuse(ServiceError::InvalidToken, origin),
            EmailChangeConfirmed::EmailTaken => refuse(ServiceError::EmailTaken, origin),
            EmailChangeConfirmed::Done(user) => {
                let event = security_event::event_of(AuditKind::EmailChanged, AuditOutcome::Success, user.id, None);
                security_event::log(&event, origin);
                Ok(user)
            }
        }
    }
}

fn refuse(error: ServiceError, origin: &Origin) -> ServiceResult<User> {
    security_event::log(&security_event::event(AuditKind::EmailChanged, AuditOutcome::Failure), origin);
    Err(error)
}

#[cfg(test)]
mod tests;
