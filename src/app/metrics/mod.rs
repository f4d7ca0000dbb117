//! Puts the page of metrics together: every number is asked for where it is kept, when somebody looks. Their names and
//! meanings stand in `docs/telemetry.md`.

mod calls;
mod passwords;
mod process;
mod stores;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Parts;
use super::stores::Stores;
use super::use_cases::UseCases;
use crate::config::Settings;
use crate::crypto::password_hasher::PasswordHasher;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::mail::Backlog;
use crate::domain::ports::Outbox;
use crate::net::Connections;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::health::HealthState;
use crate::service::keys::live_keys::LiveKeys;
use crate::service::keys::settings::KeySettings;
use crate::service::mail::deliver::MailTally;
use crate::service::retention::tally::PurgeTally;
use crate::service::token::revocation_state::RevocationState;
use crate::service::token::verify::VerifyToken;
use crate::store::db::Database;
use crate::store::redis::Redis;
use crate::telemetry::exposition::Page;
use crate::{grpc, http};

/// The outbox is counted at most so often, however many look: it lies in the database.
const BACKLOG_AGE: Duration = Duration::from_secs(5);
/// A database that takes longer to count is left alone; what it would have told is left out of the page.
const BACKLOG_TIMEOUT: Duration = Duration::from_secs(1);

/// Everything that is measured, but the calls.
pub struct Measured {
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
    health: Arc<HealthState>,
    revocations: Arc<RevocationState>,
    keys: Arc<LiveKeys>,
    key_settings: KeySettings,
    verify_token: Arc<VerifyToken>,
    hasher: Arc<PasswordHasher>,
    guard: Arc<SecretGuard>,
    database: Arc<Database>,
    redis: Option<Arc<Redis>>,
    mails: Arc<MailTally>,
    purged: Arc<PurgeTally>,
    backlog: Mutex<Option<SeenBacklog>>,
}

/// What the edges count.
pub struct Edges {
    pub grpc: Arc<grpc::calls::Calls>,
    pub connections: Connections,
    pub http: Arc<http::calls::Calls>,
}

/// What was last seen of the outbox, and at which monotonic time it was asked for; `None` where it did not answer.
struct SeenBacklog {
    at: Duration,
    backlog: Option<Backlog>,
}

impl Measured {
    pub fn new(settings: &Settings, parts: &Parts, stores: &Stores, use_cases: &UseCases) -> Self {
        Self {
            clock: Arc::clone(&parts.clock),
            started_at: parts.clock.now(),
            health: Arc::clone(&use_cases.health),
            revocations: Arc::clone(&use_cases.revocations),
            keys: Arc::clone(&use_cases.keys),
            key_settings: settings.service.keys,
            verify_token: Arc::clone(&use_cases.verify_token),
            hasher: Arc::clone(&use_cases.hasher),
            guard: Arc::clone(&use_cases.guard),
            database: Arc::clone(&stores.database),
            redis: stores.redis.clone(),
            mails: Arc::clone(&use_cases.mails),
            purged: Arc::clone(&use_cases.purged),
            backlog: Mutex::default(),
        }
    }

    /// What the HTTP edge serves.
    pub fn into_page(self, edges: Edges) -> http::Page {
        let shared = Arc::new((self, edges));
        Arc::new(move || {
            let shared = Arc::clone(&shared);
            Box::pin(async move {
                let (measured, edges) = &*shared;
                measured.page(edges).await
            })
        })
    }

    async fn page(&self, edges: &Edges) -> String {
        let backlog = self.backlog().await;
        let mut page = Page::default();
        self.tell_service(&mut page);
        calls::tell(&mut page, edges);
        passwords::tell(&mut page, self);
        tokens::tell(&mut page, self);
        stores::tell(&mut page, self, backlog);
        process::tell(&mut page, self.started_at);
        page.into_text()
    }

    fn tell_service(&self, page: &mut Page) {
        use crate::telemetry::exposition::Kind::Gauge;
        let health = self.health.current();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.family(Gauge, "keystead_build_info", "The version that runs; always 1.").sample(&version, 1.0);
        page.gauge(
            "keystead_ready",
            "Whether calls should come here, as /readyz says: 1 or 0.",
            flag(health.is_ready()),
        );
        page.gauge("keystead_draining", "Whether the service is about to stop: 1 or 0.", flag(health.draining));
        let mut checks = page.family(Gauge, "keystead_check", "Whether something that calls stand on is well: 1 or 0.");
        for (check, is_well) in [
            ("verifies", health.verifies),
            ("signs", health.signs),
            ("database", health.database),
            ("clock", health.clock),
        ] {
            checks.sample(&[("check", check)], flag(is_well));
        }
    }

    /// Looks into the outbox, or tells what was seen a moment ago. Who looks meanwhile waits for the same answer.
    async fn backlog(&self) -> Option<Backlog> {
        let mut seen = self.backlog.lock().await;
        let now = self.clock.monotonic();
        if let Some(last) = seen.as_ref().filter(|last| now.saturating_sub(last.at) < BACKLOG_AGE) {
            return last.backlog;
        }
        let counted = tokio::time::timeout(BACKLOG_TIMEOUT, self.database.backlog()).await;
        let backlog = counted.ok().and_then(Result::ok);
        *seen = Some(SeenBacklog { at: now, backlog });
        backlog
    }
}

fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

fn count(number: usize) -> f64 {
    crate::telemetry::exposition::number(u64::try_from(number).unwrap_or(u64::MAX))
}
