//! Accounts.

use async_trait::async_trait;

use crate::domain::audit::AuditKind;
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::language::Language;
use crate::domain::mail::MailKind;
use crate::domain::ports::{AuditContext, StoreResult, Users};
use crate::domain::user::{Account, Creation, Epoch, NewUser, ROLE_USER, Revision, User, UserState};

use super::MemoryStore;
use super::state::UserRow;

#[async_trait]
impl Users for MemoryStore {
    async fn create(&self, user: NewUser, tell_owner: bool, context: &AuditContext) -> StoreResult<Creation> {
        let mut state = self.open()?;
        if let Some(owner) = state.addresses.get(user.email.key()).copied() {
            if tell_owner {
                state.queue_mail(MailKind::RegistrationAttempt, &user.email, context.at);
            }
            state.record_failure(AuditKind::UserCreated, Some(owner), None, context);
            return Ok(Creation::EmailTaken);
        }
        let password_hash = Some(user.password_hash.clone());
        let user = active(user, context.at);
        state.addresses.insert(user.email.key().to_owned(), user.id);
        state.users.insert(user.id, UserRow { user: user.clone(), password_hash });
        state.queue_mail(MailKind::EmailVerification, &user.email, context.at);
        state.record_own(AuditKind::UserCreated, user.id, None, context);
        Ok(Creation::Created(user))
    }

    async fn find(&self, id: UserId) -> StoreResult<Option<User>> {
        Ok(self.open()?.users.get(&id).map(|row| row.user.clone()))
    }

    async fn find_by_email(&self, email: &Email) -> StoreResult<Option<Account>> {
        let state = self.open()?;
        let row = state.addresses.get(email.key()).and_then(|id| state.users.get(id));
        Ok(row.map(|row| Account { user: row.user.clone(), password_hash: row.password_hash.clone() }))
    }
}

fn active(user: NewUser, now: Timestamp) -> User {
    User {
        id: user.id,
        email: user.email,
        email_verified: false,
        display_name: user.display_name,
        state: UserState::Active,
        roles: vec![ROLE_USER.to_owned()],
        epoch: Epoch::default(),
        revision: Revision::default(),
        language: Language::default(),
        created_at: now,
        updated_at: now,
    }
}
