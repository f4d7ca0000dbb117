//! Identities at providers, and the accounts that they open.

use async_trait::async_trait;

use super::MemoryStore;
use super::email_changes::notice;
use super::state::{State, UserRow};
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::id::{SessionId, UserId};
use crate::domain::identity::{
    Adoption, Arrival, Identity, LinkedIdentity, Linking, MAX_IDENTITIES, NewLink, ProviderName, Unlink, Unlinking,
};
use crate::domain::language::Language;
use crate::domain::mail::MailKind;
use crate::domain::ports::identities::Identities;
use crate::domain::ports::{AuditContext, StoreError, StoreResult};
use crate::domain::revocation::Revocation;
use crate::domain::user::{Epoch, ROLE_USER, Revision, User, UserState};

#[async_trait]
impl Identities for MemoryStore {
    async fn adopt(&self, arrival: &Arrival, context: &AuditContext) -> StoreResult<Adoption> {
        let mut state = self.open()?;
        if let Some((owner, _)) = state.identities.get(&arrival.external.identity) {
            let known = state.users.get(owner).map(|row| Adoption::Known(row.user.clone()));
            return known.ok_or(StoreError::Corrupt);
        }
        let Some(provided) = &arrival.external.email else { return Ok(Adoption::EmailNotVerified) };
        let holder = state.addresses.get(provided.email.key()).and_then(|id| state.users.get(id));
        let Some(holder) = holder.map(|row| row.user.clone()) else {
            if !provided.verified {
                return Ok(Adoption::EmailNotVerified);
            }
            return Ok(state.create_for(arrival, context));
        };
        if !provided.verified {
            return Ok(Adoption::AccountExists);
        }
        Ok(state.adopt_by_address(&holder, arrival, context))
    }

    async fn link(&self, link: &NewLink, context: &AuditContext) -> StoreResult<Linking> {
        let mut state = self.open()?;
        let Some(user) = state.linking_owner(link.user_id, link.session_id) else { return Ok(Linking::Refused) };
        if let Some((owner, linked)) = state.identities.get(&link.identity) {
            let is_own = *owner == user.id;
            return Ok(if is_own { Linking::Unchanged(linked.clone()) } else { Linking::Taken });
        }
        if !user.email_verified {
            return Ok(Linking::EmailNotVerified);
        }
        if state.identities_of(user.id).len() as u64 >= MAX_IDENTITIES {
            return Ok(Linking::TooMany);
        }
        let (id, provider, identity) = (link.identity_id, link.provider.clone(), link.identity.clone());
        let linked = LinkedIdentity { id, provider, identity, linked_at: context.at };
        state.unlinked.remove(&(user.id, link.identity.clone()));
        state.keep_identity(&user, linked.clone(), context);
        Ok(Linking::Linked(linked))
    }

    async fn list(&self, user: UserId) -> StoreResult<Vec<LinkedIdentity>> {
        Ok(self.open()?.identities_of(user))
    }

    async fn unlink(&self, unlink: &Unlink, context: &AuditContext) -> StoreResult<Unlinking> {
        let mut state = self.open()?;
        let user = match unlink.owner_session {
            Some(session) => state.linking_owner(unlink.user_id, session),
            None => state.users.get(&unlink.user_id).map(|row| row.user.clone()),
        };
        let Some(user) = user else { return Ok(Unlinking::Refused) };
        let all = state.identities_of(user.id);
        let Some(linked) = all.iter().find(|linked| linked.id == unlink.identity_id) else {
            return Ok(Unlinking::Unknown);
        };
        let has_password = state.users.get(&user.id).is_some_and(|row| row.password_hash.is_some());
        if unlink.owner_session.is_some() && !has_password && all.len() <= 1 {
            return Ok(Unlinking::LastSignInMethod);
        }
        state.identities.remove(&linked.identity);
        state.unlinked.insert((user.id, linked.identity.clone()));
        let provider = linked.provider.clone();
        state.tell_identity(AuditKind::IdentityUnlinked, user.id, &provider, context);
        state.queue_notice(notice(MailKind::IdentityUnlinked, &user, user.email.clone()), context);
        state.touch(user.id, context);
        let (revocations, ended) = state.cut_off(user.id, unlink.owner_session, unlink.revocations_expire_at, context);
        Ok(Unlinking::Unlinked { provider, revocations, ended })
    }
}

impl State {
    /// Takes every identity from the account.
    pub(super) fn unlink_all(&mut self, user: UserId, context: &AuditContext) {
        for linked in self.identities_of(user) {
            self.identities.remove(&linked.identity);
            self.tell_identity(AuditKind::IdentityUnlinked, user, &linked.provider, context);
        }
    }

    /// The same, and none of them comes back by the account's address.
    pub(super) fn unlink_all_for_good(&mut self, user: UserId, context: &AuditContext) {
        let barred: Vec<_> = self.identities_of(user).into_iter().map(|linked| (user, linked.identity)).collect();
        self.unlinked.extend(barred);
        self.unlink_all(user, context);
    }

    /// Whether the address alone opens nothing here, though both sides have verified it.
    fn is_closed_to_addresses(&self, holder: &User, identity: &Identity) -> bool {
        (holder.email_verified && self.factors.contains_key(&holder.id))
            || holder.roles.iter().any(|role| role != ROLE_USER)
            || self.unlinked.contains(&(holder.id, identity.clone()))
    }

    fn identities_of(&self, user: UserId) -> Vec<LinkedIdentity> {
        let of_user = self.identities.values().filter(|(owner, _)| *owner == user);
        let mut linked: Vec<_> = of_user.map(|(_, linked)| linked.clone()).collect();
        linked.sort_by_key(|linked| (linked.linked_at, linked.id));
        linked
    }

    /// The user, if they are active and the session that asks has not ended.
    fn linking_owner(&self, user: UserId, session: SessionId) -> Option<User> {
        let user = &self.users.get(&user)?.user;
        let is_open = self.open_sessions(user.id).contains(&session);
        (is_open && user.state == UserState::Active).then(|| user.clone())
    }

    fn keep_identity(&mut self, user: &User, linked: LinkedIdentity, context: &AuditContext) {
        let provider = linked.provider.clone();
        self.identities.insert(linked.identity.clone(), (user.id, linked));
        self.tell_identity(AuditKind::IdentityLinked, user.id, &provider, context);
        self.queue_notice(notice(MailKind::IdentityLinked, user, user.email.clone()), context);
    }

    fn adopt_by_address(&mut self, holder: &User, arrival: &Arrival, context: &AuditContext) -> Adoption {
        if holder.state != UserState::Active {
            return Adoption::Disabled(holder.id);
        }
        let word = arrival.external.email.as_ref().map(|provided| provided.email.as_str());
        if !word.is_some_and(|word| word.eq_ignore_ascii_case(holder.email.as_str())) {
            return Adoption::AccountExists;
        }
        if self.is_closed_to_addresses(holder, &arrival.external.identity) {
            return Adoption::AccountExists;
        }
        let linked = arrival.link(context.at);
        if holder.email_verified {
            self.keep_identity(holder, linked, context);
            return Adoption::Linked(holder.clone());
        }
        self.tell_identity(AuditKind::AccountReclaimed, holder.id, &linked.provider, context);
        let (revocations, ended) = self.empty(holder, arrival, context);
        self.keep_identity(holder, linked, context);
        self.record_own(AuditKind::EmailVerified, holder.id, None, context);
        let user = self.users.get(&holder.id).map_or_else(|| holder.clone(), |row| row.user.clone());
        Adoption::Reclaimed { user, revocations, ended }
    }

    /// Takes from the account whatever anybody could get into it with, and marks its address as verified.
    fn empty(&mut self, holder: &User, arrival: &Arrival, context: &AuditContext) -> (Vec<Revocation>, Vec<SessionId>) {
        if let Some(row) = self.users.get_mut(&holder.id) {
            row.password_hash = None;
            row.user.email_verified = true;
            row.user.display_name = arrival.external.display_name.clone();
        }
        self.touch(holder.id, context);
        self.kill_tokens(holder.id);
        self.forget_changes(holder.id);
        if self.factors.remove(&holder.id).is_some() {
            self.record_own(AuditKind::SecondFactorRemoved, holder.id, None, context);
        }
        self.failures.remove(&arrival.account_key);
        self.known_sources.remove(&arrival.account_key);
        self.unlink_all(holder.id, context);
        self.cut_off(holder.id, None, arrival.revocations_expire_at, context)
    }

    fn touch(&mut self, user: UserId, context: &AuditContext) {
        if let Some(row) = self.users.get_mut(&user) {
            row.user.revision.0 += 1;
            row.user.updated_at = context.at;
        }
    }

    /// Raises the epoch and ends the sessions but one.
    fn cut_off(
        &mut self,
        user: UserId,
        spared: Option<SessionId>,
        expires_at: crate::domain::clock::Timestamp,
        context: &AuditContext,
    ) -> (Vec<Revocation>, Vec<SessionId>) {
        let mut ended = self.open_sessions(user);
        ended.retain(|session| Some(*session) != spared);
        let revocation = self.revoke_user_sparing(user, spared, expires_at, context);
        (vec![revocation], ended)
    }

    fn create_for(&mut self, arrival: &Arrival, context: &AuditContext) -> Adoption {
        let (true, Some(provided)) = (arrival.may_register, &arrival.external.email) else {
            return Adoption::RegistrationClosed;
        };
        let user = User {
            id: arrival.user_id,
            email: provided.email.clone(),
            email_verified: true,
            display_name: arrival.external.display_name.clone(),
            state: UserState::Active,
            roles: vec![ROLE_USER.to_owned()],
            epoch: Epoch::default(),
            revision: Revision::default(),
            language: Language::default(),
            created_at: context.at,
            updated_at: context.at,
        };
        self.addresses.insert(user.email.key().to_owned(), user.id);
        self.users.insert(user.id, UserRow { user: user.clone(), password_hash: None });
        let linked = arrival.link(context.at);
        self.tell_identity(AuditKind::UserCreated, user.id, &linked.provider, context);
        self.tell_identity(AuditKind::IdentityLinked, user.id, &linked.provider, context);
        self.identities.insert(linked.identity.clone(), (user.id, linked));
        Adoption::Created(user)
    }

    /// Something that befell the user's account, at the word of the context's actor or else of the user.
    fn tell_identity(&mut self, kind: AuditKind, user: UserId, provider: &ProviderName, context: &AuditContext) {
        let event = AuditEvent {
            kind,
            outcome: AuditOutcome::Success,
            actor: context.actor.map(|actor| actor.id).or(Some(user.into())),
            subject: Some(user.into()),
            session: context.actor.and_then(|actor| actor.session),
            detail: Some(provider.to_string()),
        };
        self.record(event, context);
    }
}
