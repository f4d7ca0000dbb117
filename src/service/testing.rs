//! A whole service in RAM for this room's tests: the memory store, a clock that stands still, real cryptography.

pub mod factors;
pub mod machines;
pub mod security_log;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::{Expectations, Verdict};

use crate::crypto::master_keys::MasterKeys;
use crate::crypto::password_hasher::{self, Machine, PasswordHasher};
use crate::crypto::seal::SealingKey;
use crate::domain::audit::AuditKind;
use crate::domain::caller::Caller;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::deadline::Deadline;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::manual_clock::{CountingEntropy, ManualClock};
use crate::domain::name::Name;
use crate::domain::origin::{Origin, Source, TraceId};
use crate::domain::ports::{AuditContext, Users as _};
use crate::domain::role::RoleName;
use crate::domain::user::{Creation, NewUser, PasswordHash, ROLE_ADMIN, User};
use crate::service::access::admission::Admission;
use crate::service::access::{CheckAccess, Need};
use crate::service::auth::logout::Logout;
use crate::service::auth::refresh::{Refresh, RefreshRules};
use crate::service::auth::register::Register;
use crate::service::auth::request_reset::RequestReset;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::auth::session_ender::SessionEnder;
use crate::service::auth::session_opener::{METHOD_PASSWORD, Opened, Opening, SessionOpener};
use crate::service::auth::sign_in::SignIn;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::auth::token_set::TokenSet;
use crate::service::keys::ensure::EnsureKeys;
use crate::service::keys::live_keys::LiveKeys;
use crate::service::keys::stored_ring::StoredRing;
use crate::service::second_factor::rule::FactorRule;
use crate::service::settings::Settings;
use crate::service::token::read_revocations::ReadRevocations;
use crate::service::token::revocation_state::RevocationState;
use crate::service::token::revoker::Revoker;
use crate::service::token::verify::{VerifyRequest, VerifyToken};
use crate::store::memory::MemoryStore;
use crate::store::memory::signal::LocalSignal;
use crate::store::memory::throttle::MemoryThrottle;

/// One replica on a store of its own.
pub struct World {
    pub settings: Settings,
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<CountingEntropy>,
    pub store: MemoryStore,
    pub master: Arc<MasterKeys>,
    pub keys: Arc<LiveKeys>,
    pub revocations: Arc<RevocationState>,
    pub revoker: Arc<Revoker>,
    pub guard: Arc<SecretGuard>,
    pub issuer: Arc<TokenIssuer>,
    pub opener: Arc<SessionOpener>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        security_log::begin();
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let entropy = Arc::new(CountingEntropy::new());
        let store = MemoryStore::new(entropy.clone());
        let master = Arc::new(MasterKeys::from(SealingKey::from_bytes(&[7; 32])));
        let revocations = Arc::new(RevocationState::new(clock.clone(), settings.revocation.max_staleness));
        let ensure = EnsureKeys {
            keys: Arc::new(store.clone()),
            master: master.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            settings: settings.keys,
            revocations: revocations.clone(),
        };
        let keys = Arc::new(ensure.run().await.unwrap());
        let revoker = Arc::new(Revoker { state: revocations.clone(), signal: Arc::new(LocalSignal) });
        let throttle = Arc::new(MemoryThrottle::new(clock.clone()));
        let any = Arc::new(store.clone());
        let guard = SecretGuard::new(throttle, any.clone(), any, keys.clone(), clock.clone(), settings.limits);
        let issuer = TokenIssuer { clock: clock.clone(), entropy: entropy.clone(), settings: settings.tokens.clone() };
        let issuer = Arc::new(issuer);
        let opener = Arc::new(SessionOpener {
            sessions: Arc::new(store.clone()),
            keys: keys.clone(),
            issuer: issuer.clone(),
            revoker: revoker.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            limits: settings.sessions,
        });
        let guard = Arc::new(guard);
        Self { settings, clock, entropy, store, master, keys, revocations, revoker, guard, issuer, opener }
    }

    /// The stored keys of this replica.
    pub fn ring(&self) -> Arc<StoredRing> {
        Arc::new(StoredRing {
            keys: Arc::new(self.store.clone()),
            live: self.keys.clone(),
            master: self.master.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            settings: self.settings.keys,
        })
    }

    pub fn context(&self) -> AuditContext {
        AuditContext { at: self.clock.now(), origin: origin(1), actor: None }
    }

    /// An account without a usable password.
    pub async fn user(&self, address: &str) -> User {
        let user = NewUser {
            id: UserId::generate(self.clock.as_ref(), self.entropy.as_ref()),
            email: email(address),
            display_name: Name::default(),
            password_hash: PasswordHash::new("none"),
        };
        match self.store.create(user, false, &self.context()).await.unwrap() {
            Creation::Created(user) => user,
            Creation::EmailTaken => panic!("{address} is taken"),
        }
    }

    /// An administrator, and their leave to go on with a call of the method.
    pub async fn administrator(&self, method: &str) -> (User, Admission) {
        let id = self.user("admin@example.com").await.id;
        assert!(self.store.edit_user(id, |user| user.roles = vec![ROLE_ADMIN.to_owned()]));
        let user = self.find(id).await;
        let bearer = self.sign_in(&user).await.access_token;
        self.reader().run_once().await.unwrap();
        let need = Need::Role(RoleName::parse(ROLE_ADMIN).unwrap());
        let admission = Admission::new(Arc::new(self.access()), &bearer, need, method, origin(1));
        (user, admission)
    }

    /// The account as it is stored now.
    pub async fn find(&self, id: UserId) -> User {
        self.store.find(id).await.unwrap().expect("an account")
    }

    /// A session, opened as after a right password.
    pub async fn sign_in(&self, user: &User) -> TokenSet {
        let opening = Opening {
            user: user.clone(),
            methods: vec![METHOD_PASSWORD.to_owned()],
            audience: self.issuer.audience("").unwrap(),
            device_name: Name::default(),
            attempt: self.guard.attempt_keys(&user.email, &origin(1)),
            rehash: None,
        };
        match self.opener.open(opening, &origin(1)).await.unwrap() {
            Opened::Open(tokens) => tokens,
            Opened::UserChanged => panic!("the user changed"),
        }
    }

    /// The caller whose bearer this is.
    pub async fn caller(&self, tokens: &TokenSet) -> Caller {
        self.reader().run_once().await.unwrap();
        let need = Need::OwnBearer { recent_login: false };
        self.access().run(&tokens.access_token, &need, "a method", &origin(1)).await.unwrap()
    }

    pub fn factor_rule(&self) -> FactorRule {
        FactorRule::new(self.settings.mfa.required_roles.clone())
    }

    /// What finishes every sign-in.
    pub fn finisher(&self) -> Arc<SignIn> {
        Arc::new(SignIn {
            opener: self.opener.clone(),
            factors: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            rule: self.factor_rule(),
            challenge_lifetime: self.settings.mfa.challenge_lifetime,
        })
    }

    pub fn ender(&self) -> Arc<SessionEnder> {
        Arc::new(SessionEnder {
            sessions: Arc::new(self.store.clone()),
            issuer: self.issuer.clone(),
            revoker: self.revoker.clone(),
            clock: self.clock.clone(),
        })
    }

    pub fn refresh(&self) -> Refresh {
        Refresh::new(
            Arc::new(self.store.clone()),
            self.keys.clone(),
            self.guard.clone(),
            self.issuer.clone(),
            self.revoker.clone(),
            self.clock.clone(),
            RefreshRules { limits: self.settings.sessions, factor: self.factor_rule() },
        )
    }

    pub fn logout(&self) -> Logout {
        Logout::new(
            Arc::new(self.store.clone()),
            self.keys.clone(),
            self.guard.clone(),
            self.ender(),
            self.clock.clone(),
            self.settings.sessions,
        )
    }

    /// Real hashing, at the lowest cost that is allowed.
    pub fn hasher(&self) -> Arc<PasswordHasher> {
        let settings = password_hasher::Settings { threads: Some(1), queue: Some(2), ..Default::default() };
        let machine = Machine { processors: 1, quota: None, memory: None };
        Arc::new(PasswordHasher::start(&settings, &machine, self.entropy.clone(), self.clock.clone()).unwrap())
    }

    pub fn register(&self, hasher: &Arc<PasswordHasher>) -> Register {
        Register {
            users: Arc::new(self.store.clone()),
            hasher: hasher.clone(),
            guard: self.guard.clone(),
            sign_in: self.finisher(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            policy: self.settings.passwords,
            settings: self.settings.registration,
        }
    }

    pub fn request_reset(&self) -> RequestReset {
        let outbox = Arc::new(self.store.clone());
        RequestReset { outbox, guard: self.guard.clone(), clock: self.clock.clone() }
    }

    pub fn reader(&self) -> ReadRevocations {
        ReadRevocations::new(
            Arc::new(self.store.clone()),
            Arc::new(LocalSignal),
            self.revocations.clone(),
            self.settings.revocation.poll_interval,
        )
    }

    pub fn verify(&self) -> VerifyToken {
        VerifyToken::new(&self.settings.tokens, self.keys.clone(), self.revocations.clone(), self.clock.clone())
    }

    pub fn access(&self) -> CheckAccess {
        let store = Arc::new(self.store.clone());
        CheckAccess::new(Arc::new(self.verify()), store.clone(), store, self.clock.clone(), self.factor_rule())
    }

    /// What VerifyToken says of a token, the table of revocations freshly read.
    pub async fn verdict(&self, access_token: &str) -> Verdict {
        self.reader().run_once().await.unwrap();
        self.verdict_from_memory(access_token)
    }

    /// What VerifyToken says of a token, the table not having been read since.
    pub fn verdict_from_memory(&self, access_token: &str) -> Verdict {
        let expectations = Expectations::default();
        let request = VerifyRequest { access_token: access_token.to_owned(), expectations };
        self.verify().run(&request).unwrap().verdict
    }

    /// How often the audit trail holds an event.
    pub fn told(&self, kind: AuditKind) -> usize {
        self.store.audit_events().iter().filter(|(event, _)| event.kind == kind).count()
    }

    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }
}

pub fn email(address: &str) -> Email {
    Email::parse(address).unwrap()
}

/// A request from 203.0.113.`host`.
pub fn origin(host: u8) -> Origin {
    let address = IpAddr::V4(Ipv4Addr::new(203, 0, 113, host));
    Origin { source: Some(Source::new(address)), trace_id: TraceId([1; 16]), deadline: Deadline::NEVER }
}
