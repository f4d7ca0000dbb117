//! Queues the mail that lets the owner of an address set a new password; the same for every address.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::email::Email;
use crate::domain::mail::MailKind;
use crate::domain::origin::Origin;
use crate::domain::ports::{AuditContext, Outbox};
use crate::service::error::ServiceResult;
use crate::service::security_event;

/// Queues the mail that lets the owner of an address set a new password; the same for every address.
pub struct RequestReset {
    pub outbox: Arc<dyn Outbox>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

/// Whose password is to be reset.
pub struct RequestResetRequest {
    pub email: Email,
}

impl RequestReset {
    pub async fn run(&self, request: RequestResetRequest, origin: &Origin) -> ServiceResult<()> {
        self.guard.admit_mail(&request.email, origin).await?;
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        self.outbox.enqueue(MailKind::PasswordReset, &request.email, &context).await?;
        security_event::log(&security_event::event(AuditKind::ResetRequested, AuditOutcome::Success), origin);
        Ok(())
    }
}
