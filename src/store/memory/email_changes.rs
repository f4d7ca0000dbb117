//! Changes of address.

use async_trait::async_trait;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::email_change::{EmailChangeConfirmed, EmailChangeRequest, EmailChangeRequested};
use crate::domain::id::UserId;
use crate::domain::mail::{MailKind, MailOwner, Notice};
use crate::domain::name::Name;
use crate::domain::one_time_token::{TokenHash, TokenPurpose};
use crate::domain::ports::email_changes::EmailChanges;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user::{User, UserState};

use super::MemoryStore;
use super::state::{MailRow, State};

#[async_trait]
impl EmailChanges for MemoryStore {
    async fn request(&self, request: &EmailChangeRequest, context: &AuditContext) -> StoreResult<EmailChangeRequested> {
        let mut state = self.open()?;
        let user = state.users.get(&request.user_id).map(|row| row.user.clone());
        let is_open = state.open_sessions(request.user_id).contains(&request.session_id);
        let Some(user) = user.filter(|user| is_open && user.state == UserState::Active) else {
            return Ok(EmailChangeRequested::Refused);
        };
        let notice = match state.other_holder(&user, &request.new_email) {
            None => notice(MailKind::EmailChange, &user, request.new_email.clone()),
            Some(holder) => notice(MailKind::EmailChangeAttempt, &holder, holder.email.clone()),
        };
        state.queue_notice(notice, context);
        state.record(AuditEvent::by_actor(AuditKind::EmailChangeRequested, Some(user.id.into()), context), context);
        Ok(EmailChangeRequested::Queued)
    }

    async fn confirm(&self, token: &TokenHash, context: &AuditContext) -> StoreResult<EmailChangeConfirmed> {
        let mut state = self.open()?;
        let Some((user, new_email)) = state.use_up_change(token, context.at) else {
            state.record_failure(AuditKind::EmailChanged, None, None, context);
            return Ok(EmailChangeConfirmed::Refused);
        };
        if state.other_holder(&user, &new_email).is_some() {
            state.record_failure(AuditKind::EmailChanged, Some(user.id), None, context);
            return Ok(EmailChangeConfirmed::EmailTaken);
        }
        let moved = state.take_address(&user, new_email, context.at);
        state.kill_tokens(user.id);
        state.forget_changes(user.id);
        state.queue_notice(notice(MailKind::EmailChanged, &user, user.email.clone()), context);
        state.record_own(AuditKind::EmailChanged, user.id, None, context);
        Ok(EmailChangeConfirmed::Done(moved))
    }
}

pub(super) fn notice(kind: MailKind, user: &User, to: Email) -> Notice {
    Notice { kind, owner: MailOwner { user_id: user.id, epoch: user.epoch }, to, device: Name::default() }
}

impl State {
    /// Forgets the changes of address that still wait to be mailed: each was asked for under another address.
    pub(super) fn forget_changes(&mut self, user: UserId) {
        let is_one = |mail: &MailRow| {
            mail.kind == MailKind::EmailChange && mail.owner.is_some_and(|owner| owner.user_id == user)
        };
        self.mails.retain(|mail| !is_one(mail));
    }

    /// Who else has the address.
    fn other_holder(&self, user: &User, email: &Email) -> Option<User> {
        let holder = self.addresses.get(email.key()).filter(|id| **id != user.id)?;
        self.users.get(holder).map(|row| row.user.clone())
    }

    /// Uses the token up; its user, and the address that it gives.
    fn use_up_change(&mut self, hash: &TokenHash, now: Timestamp) -> Option<(User, Email)> {
        let row = self.tokens.get_mut(hash)?;
        let user = &self.users.get(&row.token.user_id)?.user;
        let serves = row.alive
            && row.token.purpose == TokenPurpose::EmailChange
            && now < row.token.expires_at
            && user.state == UserState::Active
            && user.epoch == row.token.epoch;
        row.alive &= !serves;
        serves.then(|| (user.clone(), row.token.email.clone()))
    }

    fn take_address(&mut self, user: &User, new_email: Email, at: Timestamp) -> User {
        let mut moved = user.clone();
        moved.email = new_email;
        moved.email_verified = true;
        moved.revision.0 += 1;
        moved.updated_at = at;
        self.addresses.remove(user.email.key());
        self.addresses.insert(moved.email.key().to_owned(), user.id);
        if let Some(row) = self.users.get_mut(&user.id) {
            row.user = moved.clone();
        }
        moved
    }
}
