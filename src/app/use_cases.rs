//! Gives each use case its needs.

mod account;
mod admin;
mod audit;
mod auth;
mod console;
mod email_changes;
mod federation;
mod machines;
mod oauth;
mod rights;
mod second_factors;
mod signing_keys;
mod users;

use std::sync::Arc;

pub use console::ConsoleApi;
use second_factors::Factors;

use super::Parts;
use super::start_error::StartError;
use super::stores::Stores;
use crate::config::Settings;
use crate::crypto::master_keys::MasterKeys;
use crate::crypto::password_hasher::PasswordHasher;
use crate::domain::trace::{Sampling, Traces};
use crate::grpc::account_service::AccountApi;
use crate::grpc::admin_service::AdminApi;
use crate::grpc::auth_service::AuthApi;
use crate::grpc::ext_authz::ExtAuthzApi;
use crate::grpc::token_service::TokenApi;
use crate::http::oauth::OAuthApi;
use crate::service::access::CheckAccess;
use crate::service::admin::users::create_administrator::CreateAdministrator;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::auth::session_ender::SessionEnder;
use crate::service::auth::session_opener::SessionOpener;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::federation::come_back::ComeBack;
use crate::service::federation::start::StartOAuth;
use crate::service::gateway::authorize_request::AuthorizeRequest;
use crate::service::health::HealthState;
use crate::service::keys::ensure::{EnsureError, EnsureKeys};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::keys::stored_ring::StoredRing;
use crate::service::mail::deliver::MailTally;
use crate::service::retention::tally::PurgeTally;
use crate::service::token::jwks::GetJwks;
use crate::service::token::revocation_state::RevocationState;
use crate::service::token::revoker::Revoker;
use crate::service::token::verify::VerifyToken;
use crate::{grpc, http};

/// What the use cases share, and what the edges ask for.
pub struct UseCases {
    pub keys: Arc<LiveKeys>,
    pub ring: Arc<StoredRing>,
    pub revocations: Arc<RevocationState>,
    pub health: Arc<HealthState>,
    pub verify_token: Arc<VerifyToken>,
    pub hasher: Arc<PasswordHasher>,
    pub guard: Arc<SecretGuard>,
    pub mails: Arc<MailTally>,
    pub purged: Arc<PurgeTally>,
    get_jwks: Arc<GetJwks>,
    authorize_request: Arc<AuthorizeRequest>,
    start_oauth: Arc<StartOAuth>,
    come_back: Arc<ComeBack>,
    access: Arc<CheckAccess>,
    create_administrator: CreateAdministrator,
    auth: AuthApi,
    account: AccountApi,
    admin: AdminApi,
    token: TokenApi,
    oauth: OAuthApi,
}

impl UseCases {
    pub async fn build(
        settings: &Settings,
        parts: &Parts,
        stores: &Stores,
        master: Arc<MasterKeys>,
        hasher: PasswordHasher,
    ) -> Result<Self, StartError> {
        let max_staleness = settings.service.revocation.max_staleness;
        let revocations = Arc::new(RevocationState::new(Arc::clone(&parts.clock), max_staleness));
        let keys = Arc::new(ensure_keys(settings, parts, stores, &master, &revocations).await?);
        let ring = Arc::new(stored_ring(settings, parts, stores, &keys, master));
        let shared = Shared::new(settings, parts, stores, &keys, &revocations, hasher);
        let get_jwks = GetJwks { keys: Arc::clone(&keys), max_age: settings.service.keys.jwks_max_age };
        let health = HealthState::new(
            Arc::clone(&revocations),
            Arc::clone(&keys),
            Arc::clone(&stores.database) as _,
            Arc::clone(&parts.clock),
        );
        let access = Arc::new(shared.access(parts, stores));
        let federation = shared.federation(settings, parts, stores)?;
        let auth = shared.auth(settings, parts, stores, &federation);
        let delete_user = Arc::new(shared.delete_user(settings, parts, stores));
        let account = shared.account(settings, parts, stores, &delete_user, &federation);
        let admin = shared.admin(settings, parts, stores, &ring, &delete_user, &federation);
        let (health, get_jwks) = (Arc::new(health), Arc::new(get_jwks));
        let authenticator = Arc::new(shared.authenticator(parts, stores));
        let token = shared.tokens(parts, stores, &authenticator, &get_jwks, &auth.logout);
        let oauth = shared.oauth(settings, parts, authenticator, &access, &auth.refresh, &token);
        let authorize_request = Arc::new(AuthorizeRequest { verify_token: Arc::clone(&shared.verify_token) });
        let create_administrator = shared.create_administrator(settings, parts, stores);
        Ok(Self {
            keys,
            ring,
            revocations,
            health,
            verify_token: shared.verify_token,
            hasher: shared.hasher,
            guard: shared.guard,
            mails: Arc::default(),
            purged: Arc::new(PurgeTally::new(parts.clock.monotonic())),
            get_jwks,
            authorize_request,
            start_oauth: federation.start,
            come_back: federation.come_back,
            access,
            create_administrator,
            auth,
            account,
            admin,
            token,
            oauth,
        })
    }

    /// What the two edges stand on.
    pub fn into_needs(self, parts: &Parts, sampling: Sampling) -> (grpc::Needs, http::Needs) {
        let services = grpc::Services {
            auth: self.auth,
            account: self.account,
            admin: self.admin,
            token: self.token,
            ext_authz: ExtAuthzApi { authorize_request: Arc::clone(&self.authorize_request) },
        };
        let clock = || Arc::clone(&parts.clock);
        let traces = Arc::new(Traces::new(Arc::clone(&parts.entropy), sampling));
        let grpc = grpc::Needs {
            routes: services.into_routes(),
            access: self.access,
            health: self.health.subscribe(),
            clock: clock(),
            entropy: Arc::clone(&parts.entropy),
            traces: Arc::clone(&traces),
        };
        let http = http::Needs {
            get_jwks: self.get_jwks,
            authorize_request: self.authorize_request,
            oauth: self.oauth,
            start_oauth: self.start_oauth,
            come_back: self.come_back,
            health: self.health.subscribe(),
            clock: clock(),
            traces,
        };
        (grpc, http)
    }
}

fn stored_ring(
    settings: &Settings,
    parts: &Parts,
    stores: &Stores,
    live: &Arc<LiveKeys>,
    master: Arc<MasterKeys>,
) -> StoredRing {
    StoredRing {
        keys: Arc::clone(&stores.database) as _,
        live: Arc::clone(live),
        master,
        clock: Arc::clone(&parts.clock),
        entropy: Arc::clone(&parts.entropy),
        settings: settings.service.keys,
    }
}

async fn ensure_keys(
    settings: &Settings,
    parts: &Parts,
    stores: &Stores,
    master: &Arc<MasterKeys>,
    revocations: &Arc<RevocationState>,
) -> Result<LiveKeys, StartError> {
    let ensure = EnsureKeys {
        keys: Arc::clone(&stores.database) as _,
        master: Arc::clone(master),
        clock: Arc::clone(&parts.clock),
        entropy: Arc::clone(&parts.entropy),
        settings: settings.service.keys,
        revocations: Arc::clone(revocations),
    };
    ensure.run().await.map_err(|error| match error {
        EnsureError::Ring(_) => StartError::Settings(format!(
            "keys.master_key and keys.former_master_keys do not open the database's keys: {error}"
        )),
        EnsureError::Service(_) => StartError::Failed(error.to_string()),
    })
}

/// What several use cases of `auth` stand on.
struct Shared {
    keys: Arc<LiveKeys>,
    hasher: Arc<PasswordHasher>,
    guard: Arc<SecretGuard>,
    issuer: Arc<TokenIssuer>,
    revoker: Arc<Revoker>,
    opener: Arc<SessionOpener>,
    ender: Arc<SessionEnder>,
    verify_token: Arc<VerifyToken>,
    factors: Factors,
}

impl Shared {
    fn new(
        settings: &Settings,
        parts: &Parts,
        stores: &Stores,
        keys: &Arc<LiveKeys>,
        revocations: &Arc<RevocationState>,
        hasher: PasswordHasher,
    ) -> Self {
        let guard = Arc::new(SecretGuard::new(
            Arc::clone(&stores.throttle),
            Arc::clone(&stores.database) as _,
            Arc::clone(&stores.database) as _,
            Arc::clone(keys),
            Arc::clone(&parts.clock),
            settings.service.limits,
        ));
        let issuer = Arc::new(TokenIssuer {
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            settings: settings.service.tokens.clone(),
        });
        let revoker = Arc::new(Revoker { state: Arc::clone(revocations), signal: Arc::clone(&stores.signal) });
        let opener = Arc::new(SessionOpener {
            sessions: Arc::clone(&stores.database) as _,
            keys: Arc::clone(keys),
            issuer: Arc::clone(&issuer),
            revoker: Arc::clone(&revoker),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            limits: settings.service.sessions,
        });
        let ender = Arc::new(SessionEnder {
            sessions: Arc::clone(&stores.database) as _,
            issuer: Arc::clone(&issuer),
            revoker: Arc::clone(&revoker),
            clock: Arc::clone(&parts.clock),
        });
        let verify_token = Arc::new(VerifyToken::new(
            &settings.service.tokens,
            Arc::clone(keys),
            Arc::clone(revocations),
            Arc::clone(&parts.clock),
        ));
        let factors = Factors::new(settings, stores, &opener, &guard);
        let (keys, hasher) = (Arc::clone(keys), Arc::new(hasher));
        Self { keys, hasher, guard, issuer, revoker, opener, ender, verify_token, factors }
    }

    fn access(&self, parts: &Parts, stores: &Stores) -> CheckAccess {
        CheckAccess::new(
            Arc::clone(&self.verify_token),
            Arc::clone(&stores.database) as _,
            Arc::clone(&stores.database) as _,
            Arc::clone(&parts.clock),
            self.factors.rule.clone(),
        )
    }
}
