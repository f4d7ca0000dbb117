//! Sessions: opening, finding, ending. How one is refreshed stands in `rotation`.

use std::cmp::Reverse;

use async_trait::async_trait;

use crate::domain::audit::AuditKind;
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::mail::{MailKind, MailOwner, Notice};
use crate::domain::name::Name;
use crate::domain::ports::{AuditContext, Sessions, StoreResult};
use crate::domain::revocation::Revocation;
use crate::domain::session::{
    EndScope, NewSession, Rehash, Rotation, RotationOutcome, Session, SessionCreation, SessionOfUser,
};
use crate::domain::throttle::AttemptKeys;

use super::MemoryStore;
use super::state::State;

#[async_trait]
impl Sessions for MemoryStore {
    async fn create(&self, new: NewSession, context: &AuditContext) -> StoreResult<SessionCreation> {
        let mut state = self.open()?;
        if state.unchanged_user(new.session.user_id, new.seen_epoch).is_none() {
            return Ok(SessionCreation::UserChanged);
        }
        Ok(SessionCreation::Created { revocations: state.open_session(new, context) })
    }

    async fn find(&self, id: SessionId) -> StoreResult<Option<SessionOfUser>> {
        let state = self.open()?;
        let Some(session) = state.sessions.get(&id) else { return Ok(None) };
        let row = state.users.get(&session.user_id);
        Ok(row.map(|row| SessionOfUser { session: session.clone(), user: row.user.clone() }))
    }

    async fn rotate(&self, rotation: Rotation, context: &AuditContext) -> StoreResult<RotationOutcome> {
        Ok(self.open()?.rotate(rotation, context))
    }

    async fn list(&self, user: UserId, now: Timestamp) -> StoreResult<Vec<Session>> {
        let state = self.open()?;
        let of_user = state.sessions.values().filter(|session| session.user_id == user && session.is_live(now));
        let mut live: Vec<Session> = of_user.cloned().collect();
        live.sort_by_key(|session| Reverse((session.rotated_at, session.id)));
        Ok(live)
    }

    async fn end(
        &self,
        user: UserId,
        scope: EndScope,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Vec<Revocation>> {
        let mut state = self.open()?;
        let mut ending = state.open_sessions(user);
        ending.retain(|id| match scope {
            EndScope::This(session) => *id == session,
            EndScope::Others(session) => *id != session,
            EndScope::All => true,
        });
        Ok(ending.into_iter().map(|id| state.end_session(id, revocations_expire_at, context)).collect())
    }
}

impl State {
    /// Opens a session for a user who may have one, and does all that comes with it.
    pub(super) fn open_session(&mut self, new: NewSession, context: &AuditContext) -> Vec<Revocation> {
        let (user, id) = (new.session.user_id, new.session.id);
        self.record_own(AuditKind::LoginSucceeded, user, Some(id), context);
        self.record_own(AuditKind::SessionCreated, user, Some(id), context);
        if let Some(rehash) = new.rehash {
            self.renew_hash(user, rehash, context);
        }
        if let Some(keys) = new.attempt {
            self.remember_source(user, &keys, &new.session.device_name, context);
        }
        self.sessions.insert(id, new.session);
        let fallen = self.over_the_cap(user, id, new.max_sessions, context.at);
        let end = |session| self.end_session(session, new.revocations_expire_at, context);
        fallen.into_iter().map(end).collect()
    }

    /// Puts the renewed hash in the place of the one that was checked, if that one is still there.
    pub(super) fn renew_hash(&mut self, user: UserId, rehash: Rehash, context: &AuditContext) {
        let Some(row) = self.users.get_mut(&user) else { return };
        if row.password_hash.as_ref() != Some(&rehash.from) {
            return;
        }
        row.password_hash = Some(rehash.to);
        self.record_own(AuditKind::PasswordRehashed, user, None, context);
    }

    fn remember_source(&mut self, user: UserId, keys: &AttemptKeys, device: &Name, context: &AuditContext) {
        self.failures.remove(&keys.account);
        let known = self.known_sources.entry(keys.account).or_default();
        let had_others = !known.is_empty();
        let is_new = known.insert(keys.source);
        let user = self.users.get(&user).map(|row| row.user.clone());
        if let Some(user) = user.filter(|_| had_others && is_new) {
            let owner = MailOwner { user_id: user.id, epoch: user.epoch };
            let notice = Notice { kind: MailKind::NewSignIn, owner, to: user.email, device: device.clone() };
            self.queue_notice(notice, context);
        }
    }

    /// The oldest live sessions that are too many; never the one just opened.
    fn over_the_cap(&self, user: UserId, opened: SessionId, cap: u32, now: Timestamp) -> Vec<SessionId> {
        let mut older = self.open_sessions(user);
        older.retain(|id| *id != opened && self.sessions.get(id).is_some_and(|session| session.is_live(now)));
        let kept = usize::try_from(cap).unwrap_or(usize::MAX).saturating_sub(1);
        older.truncate(older.len().saturating_sub(kept));
        older
    }
}
