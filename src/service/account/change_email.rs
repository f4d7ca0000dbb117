//! Mails a link to the address that a user asks for; the same for every address.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Caller;
use crate::domain::clock::Clock;
use crate::domain::email::Email;
use crate::domain::email_change::{EmailChangeRequest, EmailChangeRequested};
use crate::domain::origin::Origin;
use crate::domain::ports::email_changes::EmailChanges;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Mails a link to the address that a user asks for; the same for every address.
pub struct ChangeEmail {
    pub changes: Arc<dyn EmailChanges>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

/// Which address the caller wants.
pub struct ChangeEmailRequest {
    pub new_email: Email,
}

impl ChangeEmail {
    pub async fn run(&self, request: ChangeEmailRequest, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        let user_id = caller.user().ok_or(ServiceError::BearerRequired)?;
        self.guard.admit_mail_of(user_id, &request.new_email, origin).await?;
        let context = caller.context(origin, self.clock.now());
        let request = EmailChangeRequest { user_id, session_id: caller.session, new_email: request.new_email };
        match self.changes.request(&request, &context).await? {
            EmailChangeRequested::Refused => Err(ServiceError::BearerRequired),
            EmailChangeRequested::Queued => {
                let subject = Some(user_id.into());
                let event = AuditEvent::by_actor(AuditKind::EmailChangeRequested, subject, &context);
                security_event::log(&event, origin);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
