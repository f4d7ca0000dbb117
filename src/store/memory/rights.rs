//! What accounts may do.

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{MailRow, State};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::rights::Rights;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::rights::{DeletionOutcome, RightsChange, RightsOutcome, UserDeletion, sessions_ended};
use crate::domain::user::{Epoch, ROLE_ADMIN, Revision, User, UserState};

#[async_trait]
impl Rights for MemoryStore {
    async fn change(
        &self,
        id: UserId,
        change: &RightsChange,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<RightsOutcome> {
        let mut state = self.open()?;
        if let RightsChange::Grant(role) | RightsChange::Revoke(role) = change
            && !state.roles.contains_key(role)
        {
            return Ok(RightsOutcome::RoleUnknown);
        }
        let Some(user) = state.users.get(&id).map(|row| row.user.clone()) else {
            return Ok(RightsOutcome::UserUnknown);
        };
        if change.is_done(&user) {
            return Ok(RightsOutcome::Unchanged(user));
        }
        if change.is_too_many(&user) {
            return Ok(RightsOutcome::TooManyRoles);
        }
        if change.demotes() && state.is_last_administrator(&user) {
            return Ok(RightsOutcome::LastAdmin);
        }
        let user = state.change_user(&user, change, context.at);
        let revocations = state.revoke_tokens(&user, change, revocations_expire_at);
        let ended = if *change == RightsChange::Disable { state.close_sessions(id, context.at) } else { Vec::new() };
        state.record(change.event(id, context), context);
        for event in sessions_ended(id, &ended, context) {
            state.record(event, context);
        }
        Ok(RightsOutcome::Changed { user, revocations, ended })
    }

    async fn delete(&self, deletion: UserDeletion, context: &AuditContext) -> StoreResult<DeletionOutcome> {
        let mut state = self.open()?;
        let Some(user) = state.users.get(&deletion.user).map(|row| row.user.clone()) else {
            return Ok(DeletionOutcome::UserUnknown);
        };
        if state.is_last_administrator(&user) {
            return Ok(DeletionOutcome::LastAdmin);
        }
        let target = RevocationTarget::User { id: user.id, min_epoch: Epoch(user.epoch.0 + 1) };
        let revocations = vec![Revocation { target, expires_at: deletion.revocations_expire_at }];
        state.revocations.extend(revocations.clone());
        state.forget_user(&user, deletion.account_key);
        state.record(AuditEvent::by_actor(AuditKind::UserDeleted, Some(user.id.into()), context), context);
        state.blank_sources(user.id);
        Ok(DeletionOutcome::Deleted { revocations })
    }
}

impl State {
    fn is_last_administrator(&self, user: &User) -> bool {
        let is_administrator =
            |user: &User| user.state == UserState::Active && user.roles.iter().any(|role| role == ROLE_ADMIN);
        let mut others = self.users.values().filter(|row| row.user.id != user.id && row.password_hash.is_some());
        is_administrator(user) && !others.any(|row| is_administrator(&row.user))
    }

    /// The account as it then stands.
    fn change_user(&mut self, user: &User, change: &RightsChange, at: Timestamp) -> User {
        let mut user = user.clone();
        match change {
            RightsChange::Grant(role) => user.roles.push(role.to_string()),
            RightsChange::Revoke(role) => user.roles.retain(|held| held != role.as_str()),
            RightsChange::Disable => user.state = UserState::Disabled,
            RightsChange::Enable => user.state = UserState::Active,
        }
        user.roles.sort_unstable();
        if change.revokes_tokens() {
            user.epoch = Epoch(user.epoch.0 + 1);
        }
        user.revision = Revision(user.revision.0 + 1);
        user.updated_at = at;
        if let Some(row) = self.users.get_mut(&user.id) {
            row.user = user.clone();
        }
        user
    }

    fn revoke_tokens(&mut self, user: &User, change: &RightsChange, expires_at: Timestamp) -> Vec<Revocation> {
        if !change.revokes_tokens() {
            return Vec::new();
        }
        let target = RevocationTarget::User { id: user.id, min_epoch: user.epoch };
        let revocations = vec![Revocation { target, expires_at }];
        self.revocations.extend(revocations.clone());
        revocations
    }

    fn close_sessions(&mut self, user: UserId, at: Timestamp) -> Vec<SessionId> {
        let open = self.open_sessions(user);
        for session in &open {
            self.close_session(*session, at);
        }
        open
    }

    fn forget_user(&mut self, user: &User, account_key: [u8; 32]) {
        self.users.remove(&user.id);
        self.addresses.remove(user.email.key());
        self.sessions.retain(|_, session| session.user_id != user.id);
        self.tokens.retain(|_, row| row.token.user_id != user.id);
        self.identities.retain(|_, (owner, _)| *owner != user.id);
        self.unlinked.retain(|(owner, _)| *owner != user.id);
        self.flows.retain(|_, row| row.flow.linking.is_none_or(|linking| linking.user_id != user.id));
        let is_theirs = |mail: &MailRow| mail.owner.is_some_and(|owner| owner.user_id == user.id);
        self.mails.retain(|mail| mail.requested_for.key() != user.email.key() && !is_theirs(mail));
        self.factors.remove(&user.id);
        self.challenges.retain(|_, row| row.challenge.user_id != user.id);
        self.failures.remove(&account_key);
        self.known_sources.remove(&account_key);
    }

    /// Where the user came from is theirs; where an administrator came from who did something to them is not.
    fn blank_sources(&mut self, user: UserId) {
        let id = Some(user.into());
        let is_theirs = |event: &AuditEvent| event.actor == id || (event.subject == id && event.actor.is_none());
        for (_, context) in self.audit.iter_mut().filter(|(event, _)| is_theirs(event)) {
            context.origin.source = None;
        }
    }
}
