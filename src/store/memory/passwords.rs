//! Passwords that their owners replace.

use async_trait::async_trait;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::ports::passwords::{PasswordChange, PasswordChangeOutcome, Passwords};
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user::Account;

use super::MemoryStore;

#[async_trait]
impl Passwords for MemoryStore {
    async fn account(&self, user: UserId) -> StoreResult<Option<Account>> {
        let state = self.open()?;
        let row = state.users.get(&user);
        Ok(row.map(|row| Account { user: row.user.clone(), password_hash: row.password_hash.clone() }))
    }

    async fn change(&self, change: PasswordChange, context: &AuditContext) -> StoreResult<PasswordChangeOutcome> {
        let mut state = self.open()?;
        let unchanged = state.unchanged_user(change.user, change.seen_epoch);
        let unchanged = unchanged.filter(|row| row.password_hash.as_ref() == Some(&change.from));
        let Some(email) = unchanged.map(|row| row.user.email.clone()) else {
            return Ok(PasswordChangeOutcome::UserChanged);
        };
        if let Some(row) = state.users.get_mut(&change.user) {
            row.password_hash = Some(change.to);
            row.user.revision.0 += 1;
            row.user.updated_at = context.at;
        }
        state.kill_tokens(change.user);
        state.failures.remove(&change.attempt.account);
        state.known_sources.insert(change.attempt.account, [change.attempt.source].into());
        state.queue_mail(MailKind::PasswordChanged, &email, context.at);
        let changed = AuditEvent::by_actor(AuditKind::PasswordChanged, Some(change.user.into()), context);
        state.record(changed, context);
        let spared = Some(change.session);
        let revocation = state.revoke_user_sparing(change.user, spared, change.revocation_expires_at, context);
        Ok(PasswordChangeOutcome::Changed { revocations: vec![revocation] })
    }
}
