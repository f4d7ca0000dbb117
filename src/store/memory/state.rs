//! What the store keeps, and the steps that several ports share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::second_factors::{ChallengeRow, FactorRow};
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::email::Email;
use crate::domain::id::{MailId, ServiceAccountId, SessionId, UserId};
use crate::domain::identity::{Identity, LinkedIdentity};
use crate::domain::key::StoredKeys;
use crate::domain::mail::{MailKind, MailOwner, Notice, QueuedMail};
use crate::domain::manual_clock::ManualClock;
use crate::domain::name::Name;
use crate::domain::oauth_flow::{FlowAnswer, NewFlow};
use crate::domain::one_time_token::{NewOneTimeToken, TokenHash};
use crate::domain::origin::Source;
use crate::domain::ports::{AuditContext, StoreError};
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::role::{BUILT_IN, Role, RoleDescription, RoleName};
use crate::domain::second_factor::ChallengeHash;
use crate::domain::service_account::{SecretHash, SecretLife, ServiceAccount};
use crate::domain::session::Session;
use crate::domain::user::{Epoch, PasswordHash, User, UserState};
use crate::domain::user_transfer::ExternalId;

pub(super) struct UserRow {
    pub user: User,
    pub password_hash: Option<PasswordHash>,
}

pub(super) struct ServiceAccountRow {
    pub account: ServiceAccount,
    /// The newest first.
    pub secrets: Vec<SecretRow>,
}

pub(super) struct SecretRow {
    pub hash: SecretHash,
    pub life: SecretLife,
}

pub(super) struct TokenRow {
    pub token: NewOneTimeToken,
    /// Unset by use, by a newer token, and by a change of password.
    pub alive: bool,
    pub issued_at: Timestamp,
}

pub(super) struct MailRow {
    pub id: MailId,
    pub kind: MailKind,
    pub requested_for: Email,
    pub owner: Option<MailOwner>,
    pub source: Option<Source>,
    pub device: Name,
    pub sealed: Option<Vec<u8>>,
    pub attempts: u32,
    pub queued_at: Timestamp,
    pub due_at: Timestamp,
}

impl MailRow {
    pub fn queued(&self) -> QueuedMail {
        QueuedMail {
            id: self.id,
            kind: self.kind,
            requested_for: self.requested_for.clone(),
            owner: self.owner,
            source: self.source,
            device: self.device.clone(),
            sealed: self.sealed.clone(),
            attempts: self.attempts,
            queued_at: self.queued_at,
        }
    }
}

pub(super) struct FlowRow {
    pub flow: NewFlow,
    pub answer: Option<FlowAnswer>,
}

/// The tables. Nothing is ever cleaned up: a test ends before that matters.
pub(super) struct State {
    pub entropy: Arc<dyn Entropy>,
    pub failing: Option<StoreError>,
    pub users: BTreeMap<UserId, UserRow>,
    /// From an address's key to its account.
    pub addresses: HashMap<String, UserId>,
    /// What other services call accounts, of those who came from one; also of accounts that have gone.
    pub external_ids: HashMap<UserId, ExternalId>,
    pub roles: BTreeMap<RoleName, Role>,
    /// Ids sort by the time of creation.
    pub service_accounts: BTreeMap<ServiceAccountId, ServiceAccountRow>,
    pub sessions: BTreeMap<SessionId, Session>,
    pub tokens: HashMap<TokenHash, TokenRow>,
    pub identities: BTreeMap<Identity, (UserId, LinkedIdentity)>,
    /// What was taken from accounts, and comes back by their owners' links alone.
    pub unlinked: HashSet<(UserId, Identity)>,
    pub flows: HashMap<TokenHash, FlowRow>,
    /// In the order in which they were queued.
    pub mails: Vec<MailRow>,
    /// In the order in which they were written; a cursor is a place in it.
    pub revocations: Vec<Revocation>,
    pub failures: HashMap<[u8; 32], u32>,
    /// From an account's key to the keys of the sources that it was signed in to from.
    pub known_sources: HashMap<[u8; 32], HashSet<[u8; 32]>>,
    pub factors: HashMap<UserId, FactorRow>,
    pub challenges: HashMap<ChallengeHash, ChallengeRow>,
    pub keys: StoredKeys,
    pub audit: Vec<(AuditEvent, AuditContext)>,
}

impl State {
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            failing: None,
            users: BTreeMap::new(),
            addresses: HashMap::new(),
            external_ids: HashMap::new(),
            roles: BUILT_IN.into_iter().filter_map(built_in_role).collect(),
            service_accounts: BTreeMap::new(),
            sessions: BTreeMap::new(),
            tokens: HashMap::new(),
            identities: BTreeMap::new(),
            unlinked: HashSet::new(),
            flows: HashMap::new(),
            mails: Vec::new(),
            revocations: Vec::new(),
            failures: HashMap::new(),
            known_sources: HashMap::new(),
            factors: HashMap::new(),
            challenges: HashMap::new(),
            keys: StoredKeys::default(),
            audit: Vec::new(),
        }
    }

    /// The account, if it may sign in and still has the epoch that was read.
    pub fn unchanged_user(&self, id: UserId, seen: Epoch) -> Option<&UserRow> {
        self.users.get(&id).filter(|row| row.user.state == UserState::Active && row.user.epoch == seen)
    }

    pub fn queue_mail(&mut self, kind: MailKind, email: &Email, at: Timestamp) {
        let row = self.waiting(kind, email.clone(), at);
        self.mails.push(row);
    }

    /// Queues a mail about a known account, with where it was caused from.
    pub fn queue_notice(&mut self, notice: Notice, context: &AuditContext) {
        let waiting = self.waiting(notice.kind, notice.to, context.at);
        let (owner, source) = (Some(notice.owner), context.origin.source);
        self.mails.push(MailRow { owner, source, device: notice.device, ..waiting });
    }

    pub fn waiting(&self, kind: MailKind, requested_for: Email, at: Timestamp) -> MailRow {
        MailRow {
            id: MailId::generate(&ManualClock::new(at), self.entropy.as_ref()),
            kind,
            requested_for,
            owner: None,
            source: None,
            device: Name::default(),
            sealed: None,
            attempts: 0,
            queued_at: at,
            due_at: at,
        }
    }

    pub fn record(&mut self, event: AuditEvent, context: &AuditContext) {
        self.audit.push((event, *context));
    }

    /// Records what a user did to their own account.
    pub fn record_own(&mut self, kind: AuditKind, user: UserId, session: Option<SessionId>, context: &AuditContext) {
        let outcome = AuditOutcome::Success;
        let event =
            AuditEvent { kind, outcome, actor: Some(user.into()), subject: Some(user.into()), session, detail: None };
        self.record(event, context);
    }

    /// Records what a stranger tried in vain.
    pub fn record_failure(
        &mut self,
        kind: AuditKind,
        subject: Option<UserId>,
        session: Option<SessionId>,
        context: &AuditContext,
    ) {
        let outcome = AuditOutcome::Failure;
        self.record(
            AuditEvent { kind, outcome, actor: None, subject: subject.map(Into::into), session, detail: None },
            context,
        );
    }

    /// Ends the session, which is open, and revokes its access tokens.
    pub fn end_session(&mut self, id: SessionId, expires_at: Timestamp, context: &AuditContext) -> Revocation {
        if let Some(user) = self.close_session(id, context.at) {
            self.record_session_ended(user, id, context);
        }
        let revocation = Revocation { target: RevocationTarget::Session(id), expires_at };
        self.revocations.push(revocation.clone());
        revocation
    }

    /// Records the end of a user's session, at the word of the context's actor or else of the user.
    fn record_session_ended(&mut self, user: UserId, session: SessionId, context: &AuditContext) {
        let actor = context.actor.map_or(user.into(), |actor| actor.id);
        let (kind, outcome) = (AuditKind::SessionEnded, AuditOutcome::Success);
        let (actor, subject, session) = (Some(actor), Some(user.into()), Some(session));
        self.record(AuditEvent { kind, outcome, actor, subject, session, detail: None }, context);
    }

    /// Raises the account's epoch, ends its sessions, and revokes all access tokens from before.
    pub fn revoke_user(&mut self, id: UserId, expires_at: Timestamp, context: &AuditContext) -> Revocation {
        self.revoke_user_sparing(id, None, expires_at, context)
    }

    /// The same, but one session may go on.
    pub fn revoke_user_sparing(
        &mut self,
        id: UserId,
        spared: Option<SessionId>,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> Revocation {
        let mut min_epoch = Epoch::default();
        if let Some(row) = self.users.get_mut(&id) {
            row.user.epoch = Epoch(row.user.epoch.0 + 1);
            min_epoch = row.user.epoch;
        }
        for session in self.open_sessions(id).into_iter().filter(|session| Some(*session) != spared) {
            self.close_session(session, context.at);
            self.record_session_ended(id, session, context);
        }
        let revocation = Revocation { target: RevocationTarget::User { id, min_epoch }, expires_at };
        self.revocations.push(revocation.clone());
        revocation
    }

    /// The user's sessions that have not ended, oldest first.
    pub fn open_sessions(&self, user: UserId) -> Vec<SessionId> {
        let mut open: Vec<&Session> =
            self.sessions.values().filter(|session| session.user_id == user && session.ended_at.is_none()).collect();
        open.sort_by_key(|session| (session.authenticated_at, session.id));
        open.into_iter().map(|session| session.id).collect()
    }

    pub fn close_session(&mut self, id: SessionId, at: Timestamp) -> Option<UserId> {
        let session = self.sessions.get_mut(&id)?;
        session.ended_at = Some(at);
        Some(session.user_id)
    }
}

fn built_in_role(name: &str) -> Option<(RoleName, Role)> {
    let name = RoleName::parse(name).ok()?;
    let role = Role { name: name.clone(), description: RoleDescription::default(), created_at: Timestamp::default() };
    Some((name, role))
}
