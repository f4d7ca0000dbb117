//! Sets a new password in the place of the current one, and ends the caller's other sessions.

use std::sync::Arc;

use super::owner::owner;
use crate::crypto::password_hasher::{PasswordHasher, PasswordVerdict};
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::caller::Caller;
use crate::domain::clock::Clock;
use crate::domain::origin::Origin;
use crate::domain::password::{Password, PasswordPolicy};
use crate::domain::ports::AuditLog;
use crate::domain::ports::passwords::{PasswordChange, PasswordChangeOutcome, Passwords};
use crate::domain::throttle::AttemptKeys;
use crate::domain::user::{Account, PasswordHash, User};
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Sets a new password in the place of the current one, and ends the caller's other sessions.
pub struct ChangePassword {
    pub passwords: Arc<dyn Passwords>,
    pub audit: Arc<dyn AuditLog>,
    pub hasher: Arc<PasswordHasher>,
    pub guard: Arc<SecretGuard>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    pub policy: PasswordPolicy,
}

/// The password as it is, and as it shall be.
#[derive(Clone, Debug)]
pub struct ChangePasswordRequest {
    pub current_password: Password,
    pub new_password: Password,
}

/// A password that was right, and what it was checked against.
struct Proven {
    user: User,
    hash: PasswordHash,
    attempt: AttemptKeys,
}

impl ChangePassword {
    pub async fn run(&self, request: ChangePasswordRequest, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        let ChangePasswordRequest { current_password, new_password } = request;
        let proven = self.prove(current_password, &new_password, caller, origin).await?;
        let to = self.hasher.reserve(origin.deadline)?.hash(new_password).await?;

        let context = caller.context(origin, self.clock.now());
        let Proven { user, hash: from, attempt } = proven;
        let change = PasswordChange {
            user: user.id,
            session: caller.session,
            seen_epoch: user.epoch,
            from,
            to,
            attempt,
            revocation_expires_at: self.issuer.revocations_expire_at(context.at),
        };
        match self.passwords.change(change, &context).await? {
            PasswordChangeOutcome::UserChanged => Err(ServiceError::ConcurrentChange),
            PasswordChangeOutcome::Changed { revocations } => {
                self.revoker.tell(&revocations).await;
                self.guard.forgive(&user.email, origin).await;
                let event = AuditEvent::by_actor(AuditKind::PasswordChanged, Some(user.id.into()), &context);
                security_event::log(&event, origin);
                Ok(())
            }
        }
    }

    /// Checks the current password as a sign-in does: whoever has stolen a bearer guesses on the same budget. The new
    /// one is judged before that, so that a fault of it costs no attempt.
    async fn prove(
        &self,
        current: Password,
        new: &Password,
        caller: &Caller,
        origin: &Origin,
    ) -> ServiceResult<Proven> {
        // First of all, so that an overloaded service refuses without any I/O.
        let slot = self.hasher.reserve(origin.deadline)?;
        let account = self.passwords.account(owner(caller)?).await?.ok_or(ServiceError::BearerRequired)?;
        let fault = self.policy.check(new, &account.user.email);
        fault.map_err(|fault| ServiceError::invalid_field("new_password", &fault.to_string()))?;
        let attempt = self.guard.admit_password(&account.user.email, origin).await?;
        let stored = account.judged_hash();
        let verdict = slot.verify(current, stored.clone()).await?;
        match (verdict, stored) {
            (PasswordVerdict::Right { .. }, Some(hash)) => Ok(Proven { user: account.user, hash, attempt }),
            (PasswordVerdict::Right { .. } | PasswordVerdict::Wrong, _) => self.refuse(&account, caller, origin).await,
        }
    }

    /// One answer and one cost for a wrong password and for an account without one.
    async fn refuse(&self, account: &Account, caller: &Caller, origin: &Origin) -> ServiceResult<Proven> {
        let context = caller.context(origin, self.clock.now());
        let changed = AuditEvent::by_actor(AuditKind::PasswordChanged, Some(account.user.id.into()), &context);
        let event = AuditEvent { outcome: AuditOutcome::Failure, ..changed };
        security_event::log(&event, origin);
        self.audit.record(event, &context).await?;
        Err(ServiceError::InvalidCredentials)
    }
}

#[cfg(test)]
mod tests;
