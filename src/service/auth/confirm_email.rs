//! Marks an address as verified with a mailed token.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use crate::crypto::one_time_token;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::one_time_token::{TokenPurpose, VerificationOutcome};
use crate::domain::origin::Origin;
use crate::domain::ports::{AuditContext, OneTimeTokens};
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Marks an address as verified with a mailed token.
pub struct ConfirmEmail {
    pub tokens: Arc<dyn OneTimeTokens>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

/// The token of the mail.
pub struct ConfirmEmailRequest {
    pub verification_token: String,
}

impl ConfirmEmail {
    pub async fn run(&self, request: ConfirmEmailRequest, origin: &Origin) -> ServiceResult<User> {
        self.guard.admit_source(origin).await?;
        let hash = one_time_token::parse(TokenPurpose::EmailVerification, &request.verification_token);
        let hash = hash.ok_or(ServiceError::InvalidToken)?;
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        match self.tokens.verify_email(&hash, &context).await? {
            VerificationOutcome::Refused => {
                let refused = security_event::event(AuditKind::EmailVerified, AuditOutcome::Failure);
                security_event::log(&refused, origin);
                Err(ServiceError::InvalidToken)
            }
            VerificationOutcome::Done(user) => {
                let event = security_event::event_of(AuditKind::EmailVerified, AuditOutcome::Success, user.id, None);
                security_event::log(&event, origin);
                Ok(user)
            }
        }
    }
}
