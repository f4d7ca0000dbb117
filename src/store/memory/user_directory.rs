//! Accounts, as administrators see and change them.

use async_trait::async_trait;

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::id::{PrincipalId, UserId};
use crate::domain::mail::MailKind;
use crate::domain::ports::user_directory::UserDirectory;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::revocation::Revocation;
use crate::domain::rights::roles_granted;
use crate::domain::user::{Epoch, ROLE_USER, Revision, User, UserState};
use crate::domain::user_change::{Invitation, InvitationOutcome, UpdateOutcome, UserUpdate};
use crate::domain::user_list::{UserPosition, UserQuery};

use super::MemoryStore;
use super::email_changes::notice;
use super::state::{State, UserRow};
use super::user_list::{compare, is_chosen};

#[async_trait]
impl UserDirectory for MemoryStore {
    async fn invite(&self, invitation: &Invitation, context: &AuditContext) -> StoreResult<InvitationOutcome> {
        let mut state = self.open()?;
        if !invitation.roles.iter().all(|role| state.roles.contains_key(role)) {
            return Ok(InvitationOutcome::RoleUnknown);
        }
        if let Some(owner) = state.addresses.get(invitation.email.key()).copied() {
            state.record_refusal(AuditKind::UserCreated, Some(owner.into()), context);
            return Ok(InvitationOutcome::EmailTaken);
        }
        let user = invited(invitation, context.at);
        state.addresses.insert(user.email.key().to_owned(), user.id);
        let password_hash = invitation.password_hash.clone();
        if password_hash.is_none() {
            state.queue_mail(MailKind::PasswordReset, &user.email, context.at);
        }
        state.users.insert(user.id, UserRow { user: user.clone(), password_hash });
        state.record_deed(AuditKind::UserCreated, user.id, None, context);
        for granted in roles_granted(user.id.into(), &invitation.roles, context) {
            state.record(granted, context);
        }
        Ok(InvitationOutcome::Invited(user))
    }

    async fn list(&self, query: &UserQuery) -> StoreResult<Vec<User>> {
        let state = self.open()?;
        let mut users: Vec<&User> = state.users.values().map(|row| &row.user).collect();
        users.sort_by(|one, other| compare(query.order, &UserPosition::of(one), &UserPosition::of(other)));
        let is_next = |user: &&User| {
            query.after.as_ref().is_none_or(|after| compare(query.order, after, &UserPosition::of(user)).is_lt())
        };
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let chosen = users.into_iter().filter(is_next).filter(|user| is_chosen(user, &query.filter));
        Ok(chosen.take(limit).cloned().collect())
    }

    async fn update(&self, update: &UserUpdate, context: &AuditContext) -> StoreResult<UpdateOutcome> {
        let mut state = self.open()?;
        let Some(before) = state.users.get(&update.id).map(|row| row.user.clone()) else {
            return Ok(UpdateOutcome::Unknown);
        };
        if update.expected.is_some_and(|expected| expected != before.revision) {
            return Ok(UpdateOutcome::Moved);
        }
        let new_email = update.email.as_ref().filter(|email| **email != before.email);
        if new_email.is_some_and(|email| state.is_of_another(email, update.id)) {
            state.record_refusal(AuditKind::EmailChanged, Some(update.id.into()), context);
            return Ok(UpdateOutcome::EmailTaken);
        }
        state.apply_profile(update.id, update.profile.clone(), context);
        state.record_deed(AuditKind::UserUpdated, update.id, Some(update.fields()), context);
        let is_verified = update.profile.email_verified == Some(true);
        if let Some(email) = new_email {
            state.readdress(&before, email, is_verified, context);
            if !email.as_str().eq_ignore_ascii_case(before.email.as_str()) {
                state.unlink_all(update.id, context);
            }
        }
        if is_verified && (new_email.is_some() || !before.email_verified) {
            state.record_deed(AuditKind::EmailVerified, update.id, None, context);
        }
        Ok(state.users.get(&update.id).map_or(UpdateOutcome::Unknown, |row| UpdateOutcome::Updated(row.user.clone())))
    }

    async fn require_reset(
        &self,
        user: UserId,
        revocation_expires_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Option<Revocation>> {
        let mut state = self.open()?;
        let Some(row) = state.users.get_mut(&user) else { return Ok(None) };
        row.password_hash = None;
        row.user.revision.0 += 1;
        row.user.updated_at = context.at;
        let email = row.user.email.clone();
        state.tokens.retain(|_, token| token.token.user_id != user);
        state.queue_mail(MailKind::PasswordReset, &email, context.at);
        state.record_deed(AuditKind::ResetRequired, user, None, context);
        state.unlink_all_for_good(user, context);
        Ok(Some(state.revoke_user(user, revocation_expires_at, context)))
    }
}

impl State {
    fn is_of_another(&self, email: &Email, user: UserId) -> bool {
        self.addresses.get(email.key()).is_some_and(|owner| *owner != user)
    }

    /// Mailed tokens were sent to the address that is left: none outlives it.
    fn readdress(&mut self, before: &User, email: &Email, is_verified: bool, context: &AuditContext) {
        self.addresses.remove(before.email.key());
        self.addresses.insert(email.key().to_owned(), before.id);
        if let Some(row) = self.users.get_mut(&before.id) {
            row.user.email = email.clone();
            row.user.email_verified = is_verified;
        }
        self.kill_tokens(before.id);
        self.forget_changes(before.id);
        self.queue_notice(notice(MailKind::EmailChanged, before, before.email.clone()), context);
        if !is_verified {
            self.queue_mail(MailKind::EmailVerification, email, context.at);
        }
        self.record_deed(AuditKind::EmailChanged, before.id, None, context);
    }

    /// Records what the context's actor did.
    fn record_deed(&mut self, kind: AuditKind, subject: UserId, detail: Option<String>, context: &AuditContext) {
        let event = AuditEvent { detail, ..AuditEvent::by_actor(kind, Some(subject.into()), context) };
        self.record(event, context);
    }

    /// Records what the context's actor tried in vain.
    fn record_refusal(&mut self, kind: AuditKind, subject: Option<PrincipalId>, context: &AuditContext) {
        let outcome = AuditOutcome::Failure;
        self.record(AuditEvent { outcome, ..AuditEvent::by_actor(kind, subject, context) }, context);
    }
}

fn invited(invitation: &Invitation, now: Timestamp) -> User {
    let others = invitation.roles.iter().map(|role| role.as_str().to_owned());
    let mut roles: Vec<String> = std::iter::once(ROLE_USER.to_owned()).chain(others).collect();
    roles.sort_unstable();
    roles.dedup();
    User {
        id: invitation.id,
        email: invitation.email.clone(),
        email_verified: invitation.password_hash.is_some(),
        display_name: invitation.display_name.clone(),
        state: UserState::Active,
        roles,
        epoch: Epoch::default(),
        revision: Revision::default(),
        language: invitation.language.clone(),
        created_at: now,
        updated_at: now,
    }
}
