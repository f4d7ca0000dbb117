//! What the checks have in common: people, sessions and tokens to work with.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::clock::{Clock as _, Entropy as _, Timestamp};
use keystead::domain::deadline::Deadline;
use keystead::domain::email::Email;
use keystead::domain::id::{MailId, SessionId, UserId};
use keystead::domain::mail::{MailKind, PreparedMail};
use keystead::domain::name::Name;
use keystead::domain::one_time_token::{NewOneTimeToken, PasswordReset, TokenHash, TokenPurpose};
use keystead::domain::origin::{Origin, Source, TraceId};
use keystead::domain::ports::{Actor, AuditContext, Preparation};
use keystead::domain::session::{NewSession, Rotation, Session, SessionCreation, SessionLimits, SessionSalt};
use keystead::domain::throttle::AttemptKeys;
use keystead::domain::user::{Creation, NewUser, PasswordHash, User};

use crate::backend::Backend;

pub const LEASE: Duration = Duration::from_mins(1);

pub fn email(address: &str) -> Email {
    Email::parse(address).expect("an address")
}

pub fn keys_of(account: u8, source: u8) -> AttemptKeys {
    AttemptKeys { account: [account; 32], source: [source; 32] }
}

/// Runs so many at once, each on a task of its own, and gives what came of them.
pub async fn at_once<T, F>(count: u8, run: impl Fn(u8) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(run(number))).collect();
    let outcomes = futures_util::future::join_all(tasks).await;
    outcomes.into_iter().map(|outcome| outcome.expect("no panic")).collect()
}

impl Backend {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn context(&self) -> AuditContext {
        let source = Some(Source::new([192, 0, 2, 7].into()));
        let origin = Origin { source, trace_id: TraceId([7; 16]), deadline: Deadline::NEVER };
        AuditContext { at: self.now(), origin, actor: None }
    }

    /// The context of what somebody does in a session of theirs.
    pub fn context_of(&self, actor: &User, session: SessionId) -> AuditContext {
        AuditContext { actor: Some(Actor { id: actor.id.into(), session: Some(session) }), ..self.context() }
    }

    /// Until when revocations matter.
    pub fn later(&self) -> Timestamp {
        self.now().after(Duration::from_mins(10))
    }

    pub fn new_user(&self, address: &str) -> NewUser {
        NewUser {
            id: UserId::generate(self.clock.as_ref(), self.entropy.as_ref()),
            email: email(address),
            display_name: Name::parse("Ada").expect("a name"),
            password_hash: PasswordHash::new("hash-0"),
        }
    }

    pub async fn user(&self, address: &str) -> User {
        match self.users.create(self.new_user(address), false, &self.context()).await {
            Ok(Creation::Created(user)) => user,
            other => panic!("{other:?}"),
        }
    }

    pub fn new_session(&self, user: &User) -> NewSession {
        let mut salt = [0; 32];
        self.entropy.fill(&mut salt);
        let limits = SessionLimits::default();
        let session = Session {
            id: SessionId::generate(self.clock.as_ref(), self.entropy.as_ref()),
            user_id: user.id,
            generation: 0,
            salt: SessionSalt(salt),
            refresh_key_id: "refresh-1".to_owned(),
            audience: vec!["keystead".to_owned(), "shop".to_owned()],
            methods: vec!["pwd".to_owned()],
            device_name: Name::parse("Laptop").expect("a name"),
            source: self.context().origin.source,
            authenticated_at: self.now(),
            rotated_at: self.now(),
            idle_expires_at: self.now().after(limits.idle_lifetime),
            expires_at: self.now().after(limits.absolute_lifetime),
            ended_at: None,
        };
        NewSession {
            session,
            seen_epoch: user.epoch,
            attempt: None,
            rehash: None,
            max_sessions: limits.max_per_user,
            revocations_expire_at: self.later(),
        }
    }

    pub async fn open(&self, new: NewSession) -> SessionCreation {
        self.sessions.create(new, &self.context()).await.expect("the store answers")
    }

    pub async fn session(&self, user: &User) -> Session {
        let new = self.new_session(user);
        let session = new.session.clone();
        assert!(matches!(self.open(new).await, SessionCreation::Created { .. }));
        session
    }

    /// Whether the session is there and has not ended.
    pub async fn is_open(&self, id: SessionId) -> bool {
        let found = self.sessions.find(id).await.expect("the store answers");
        found.is_some_and(|found| found.session.ended_at.is_none())
    }

    pub fn rotation(&self, user: &User, session: &Session, presented: u64) -> Rotation {
        Rotation {
            session_id: session.id,
            user_id: user.id,
            presented,
            seen_epoch: user.epoch,
            limits: SessionLimits::default(),
            revocation_expires_at: self.later(),
        }
    }

    /// Mails the user a token, as the worker does.
    pub async fn token(&self, user: &User, purpose: TokenPurpose) -> TokenHash {
        let hash = self.token_hash();
        let stored = self.prepare(self.queued(MailKind::PasswordReset).await, user, purpose, hash, u32::MAX).await;
        assert_eq!(stored, Preparation::Stored);
        hash
    }

    pub fn token_hash(&self) -> TokenHash {
        let mut hash = [0; 32];
        self.entropy.fill(&mut hash);
        TokenHash(hash)
    }

    /// A mail of its own, leased.
    pub async fn queued(&self, kind: MailKind) -> MailId {
        let address = email("queued@example.com");
        self.outbox.enqueue(kind, &address, &self.context()).await.expect("the store answers");
        let leased = self.outbox.lease(1_000, LEASE, self.now()).await.expect("the store answers");
        leased.into_iter().find(|mail| mail.requested_for == address).expect("the mail just queued").id
    }

    pub async fn prepare(
        &self,
        id: MailId,
        user: &User,
        purpose: TokenPurpose,
        hash: TokenHash,
        an_hour: u32,
    ) -> Preparation {
        let expires_at = self.now().after(Duration::from_mins(30));
        let (user_id, email, epoch) = (user.id, user.email.clone(), user.epoch);
        let token = NewOneTimeToken { hash, purpose, user_id, email, epoch, expires_at };
        let mail = PreparedMail { id, sealed: vec![1, 2, 3], token: Some(token) };
        self.outbox.prepare(mail, an_hour, self.now()).await.expect("the store answers")
    }

    pub fn reset(&self, token: TokenHash) -> PasswordReset {
        PasswordReset {
            token,
            password_hash: PasswordHash::new("hash-1"),
            account_key: [1; 32],
            revocation_expires_at: self.later(),
        }
    }
}

/// The user as the store has them now.
pub async fn reread(backend: &Arc<Backend>, user: &User) -> User {
    backend.users.find(user.id).await.expect("the store answers").expect("the user is there")
}
