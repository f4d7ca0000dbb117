//! Queues the mail that verifies an address; the same for every address.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use crate::domain::clock::Clock;
use crate::domain::email::Email;
use crate::domain::mail::MailKind;
use crate::domain::origin::Origin;
use crate::domain::ports::{AuditContext, Outbox};
use crate::service::error::ServiceResult;

/// Queues the mail that verifies an address; the same for every address.
pub struct RequestEmailVerification {
    pub outbox: Arc<dyn Outbox>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

/// Which address is to be verified.
pub struct RequestEmailVerificationRequest {
    pub email: Email,
}

impl RequestEmailVerification {
    pub async fn run(&self, request: RequestEmailVerificationRequest, origin: &Origin) -> ServiceResult<()> {
        self.guard.admit_mail(&request.email, origin).await?;
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        Ok(self.outbox.enqueue(MailKind::EmailVerification, &request.email, &context).await?)
    }
}
