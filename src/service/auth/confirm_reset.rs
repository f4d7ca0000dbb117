//! Sets a new password with a mailed token and ends every session.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use super::token_issuer::TokenIssuer;
use crate::crypto::one_time_token;
use crate::crypto::password_hasher::PasswordHasher;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::one_time_token::{PasswordReset, ResetOutcome, TokenPurpose};
use crate::domain::origin::Origin;
use crate::domain::password::{Password, PasswordPolicy};
use crate::domain::ports::{AuditContext, AuditLog, OneTimeTokens};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Sets a new password with a mailed token and ends every session.
pub struct ConfirmReset {
    pub tokens: Arc<dyn OneTimeTokens>,
    pub audit: Arc<dyn AuditLog>,
    pub hasher: Arc<PasswordHasher>,
    pub guard: Arc<SecretGuard>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    pub policy: PasswordPolicy,
}

/// The token of the mail and the new password.
pub struct ConfirmResetRequest {
    pub reset_token: String,
    pub new_password: Password,
}

impl ConfirmReset {
    pub async fn run(&self, request: ConfirmResetRequest, origin: &Origin) -> ServiceResult<()> {
        self.guard.admit_source(origin).await?;
        let purpose = TokenPurpose::PasswordReset;
        let token = one_time_token::parse(purpose, &request.reset_token).ok_or(ServiceError::InvalidToken)?;
        let Some(user) = self.tokens.find(&token, purpose, self.clock.now()).await? else {
            return self.refuse(origin).await;
        };
        // Judged before the token is used up, so that a better password can follow.
        let fault = self.policy.check(&request.new_password, &user.email);
        fault.map_err(|fault| ServiceError::invalid_field("new_password", &fault.to_string()))?;
        let password_hash = self.hasher.reserve(origin.deadline)?.hash(request.new_password).await?;

        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        let account_key = self.guard.attempt_keys(&user.email, origin).account;
        let revocation_expires_at = self.issuer.revocations_expire_at(context.at);
        let reset = PasswordReset { token, password_hash, account_key, revocation_expires_at };
        match self.tokens.reset_password(reset, &context).await? {
            ResetOutcome::Refused => {
                security_event::log(&refused(), origin);
                Err(ServiceError::InvalidToken)
            }
            ResetOutcome::Done { revocations } => {
                self.revoker.tell(&revocations).await;
                self.guard.forgive(&user.email, origin).await;
                let event = security_event::event_of(AuditKind::PasswordChanged, AuditOutcome::Success, user.id, None);
                security_event::log(&event, origin);
                Ok(())
            }
        }
    }

    /// Tells of a token that opens nothing; whose it was is not said, for it proved nothing.
    async fn refuse(&self, origin: &Origin) -> ServiceResult<()> {
        let event = refused();
        security_event::log(&event, origin);
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        self.audit.record(event, &context).await?;
        Err(ServiceError::InvalidToken)
    }
}

fn refused() -> AuditEvent {
    security_event::event(AuditKind::PasswordChanged, AuditOutcome::Failure)
}

#[cfg(test)]
mod tests;
