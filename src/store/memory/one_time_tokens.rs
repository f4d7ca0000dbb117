//! Mailed tokens.

use async_trait::async_trait;

use crate::domain::audit::AuditKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::one_time_token::{PasswordReset, ResetOutcome, TokenHash, TokenPurpose, VerificationOutcome};
use crate::domain::ports::{AuditContext, OneTimeTokens, StoreResult};
use crate::domain::user::{Revision, User, UserState};

use super::MemoryStore;
use super::state::State;

#[async_trait]
impl OneTimeTokens for MemoryStore {
    async fn find(&self, hash: &TokenHash, purpose: TokenPurpose, now: Timestamp) -> StoreResult<Option<User>> {
        Ok(self.open()?.served_by(hash, purpose, now))
    }

    async fn reset_password(&self, reset: PasswordReset, context: &AuditContext) -> StoreResult<ResetOutcome> {
        let mut state = self.open()?;
        let Some(user) = state.served_by(&reset.token, TokenPurpose::PasswordReset, context.at) else {
            state.record_failure(AuditKind::PasswordChanged, None, None, context);
            return Ok(ResetOutcome::Refused);
        };
        state.kill_tokens(user.id);
        if let Some(row) = state.users.get_mut(&user.id) {
            row.password_hash = Some(reset.password_hash);
        }
        if !user.email_verified && !user.has_been_given_roles() && state.factors.remove(&user.id).is_some() {
            state.record_own(AuditKind::SecondFactorRemoved, user.id, None, context);
            state.queue_mail(MailKind::TotpRemoved, &user.email, context.at);
        }
        state.mark_verified(&user, context);
        state.failures.remove(&reset.account_key);
        state.known_sources.remove(&reset.account_key);
        state.record_own(AuditKind::PasswordChanged, user.id, None, context);
        state.queue_mail(MailKind::PasswordChanged, &user.email, context.at);
        let revocation = state.revoke_user(user.id, reset.revocation_expires_at, context);
        Ok(ResetOutcome::Done { revocations: vec![revocation] })
    }

    async fn verify_email(&self, hash: &TokenHash, context: &AuditContext) -> StoreResult<VerificationOutcome> {
        let mut state = self.open()?;
        let Some(user) = state.served_by(hash, TokenPurpose::EmailVerification, context.at) else {
            state.record_failure(AuditKind::EmailVerified, None, None, context);
            return Ok(VerificationOutcome::Refused);
        };
        if let Some(row) = state.tokens.get_mut(hash) {
            row.alive = false;
        }
        Ok(VerificationOutcome::Done(state.mark_verified(&user, context)))
    }
}

impl State {
    /// The user whom the token would serve.
    fn served_by(&self, hash: &TokenHash, purpose: TokenPurpose, now: Timestamp) -> Option<User> {
        let row = self.tokens.get(hash)?;
        let user = &self.users.get(&row.token.user_id)?.user;
        let serves = row.alive
            && row.token.purpose == purpose
            && now < row.token.expires_at
            && user.state == UserState::Active
            && user.email.key() == row.token.email.key();
        serves.then(|| user.clone())
    }

    pub(super) fn kill_tokens(&mut self, user: UserId) {
        for row in self.tokens.values_mut().filter(|row| row.token.user_id == user) {
            row.alive = false;
        }
    }

    /// Marks the address as verified; the user as it now stands. The event is told once.
    fn mark_verified(&mut self, user: &User, context: &AuditContext) -> User {
        let mut verified = user.clone();
        verified.email_verified = true;
        verified.revision = Revision(user.revision.0 + 1);
        verified.updated_at = context.at;
        if let Some(row) = self.users.get_mut(&user.id) {
            row.user = verified.clone();
        }
        if !user.email_verified {
            self.unlink_all(user.id, context);
            self.record_own(AuditKind::EmailVerified, user.id, None, context);
        }
        verified
    }
}
