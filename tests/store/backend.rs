//! The three stores, each as a bundle of ports.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::clock::Timestamp;
use keystead::domain::manual_clock::{CountingEntropy, ManualClock};
use keystead::domain::ports::audit_trail::AuditTrail;
use keystead::domain::ports::email_changes::EmailChanges;
use keystead::domain::ports::identities::Identities;
use keystead::domain::ports::oauth_flows::OAuthFlows;
use keystead::domain::ports::passwords::Passwords;
use keystead::domain::ports::principals::Principals;
use keystead::domain::ports::profiles::Profiles;
use keystead::domain::ports::retention::Retention;
use keystead::domain::ports::rights::Rights;
use keystead::domain::ports::roles::Roles;
use keystead::domain::ports::second_factors::SecondFactors;
use keystead::domain::ports::service_accounts::ServiceAccounts;
use keystead::domain::ports::user_directory::UserDirectory;
use keystead::domain::ports::user_transfer::UserTransfer;
use keystead::domain::ports::{Attempts, AuditLog, Keys, OneTimeTokens, Outbox, Probe, Revocations, Sessions, Users};
use keystead::store::db::{Database, DatabaseUrl, Settings};
use keystead::store::memory::MemoryStore;
use sea_orm::{ConnectOptions, DatabaseConnection};
use tempfile::TempDir;

use crate::support;
use crate::trail::Inside;

/// Longer than any machine is slow: the checks ask what the store answers, not how soon.
const PATIENCE: Duration = Duration::from_mins(1);

/// An empty store and what a check needs to use it.
pub struct Backend {
    pub users: Arc<dyn Users>,
    pub profiles: Arc<dyn Profiles>,
    pub directory: Arc<dyn UserDirectory>,
    pub transfer: Arc<dyn UserTransfer>,
    pub passwords: Arc<dyn Passwords>,
    pub attempts: Arc<dyn Attempts>,
    pub sessions: Arc<dyn Sessions>,
    pub tokens: Arc<dyn OneTimeTokens>,
    pub outbox: Arc<dyn Outbox>,
    pub email_changes: Arc<dyn EmailChanges>,
    pub factors: Arc<dyn SecondFactors>,
    pub identities: Arc<dyn Identities>,
    pub flows: Arc<dyn OAuthFlows>,
    pub revocations: Arc<dyn Revocations>,
    pub keys: Arc<dyn Keys>,
    pub audit: Arc<dyn AuditLog>,
    pub trail: Arc<dyn AuditTrail>,
    /// `None` in RAM, where nothing is forgotten.
    pub retention: Option<Arc<dyn Retention>>,
    pub probe: Arc<dyn Probe>,
    pub rights: Arc<dyn Rights>,
    pub roles: Arc<dyn Roles>,
    pub service_accounts: Arc<dyn ServiceAccounts>,
    pub principals: Arc<dyn Principals>,
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<CountingEntropy>,
    pub inside: Inside,
    /// Holds the database file; gone with the check.
    _folder: Option<TempDir>,
}

trait Store: Users + Attempts + Sessions + OneTimeTokens + Outbox + Revocations + Keys + AuditLog + Probe {}

impl<S> Store for S where S: Users + Attempts + Sessions + OneTimeTokens + Outbox + Revocations + Keys + AuditLog + Probe
{}

trait Administration:
    Rights
    + Roles
    + ServiceAccounts
    + Principals
    + Profiles
    + UserDirectory
    + UserTransfer
    + Passwords
    + EmailChanges
    + SecondFactors
    + AuditTrail
    + Identities
    + OAuthFlows
{
}

impl<S> Administration for S where
    S: Rights
        + Roles
        + ServiceAccounts
        + Principals
        + Profiles
        + UserDirectory
        + UserTransfer
        + Passwords
        + EmailChanges
        + SecondFactors
        + AuditTrail
        + Identities
        + OAuthFlows
{
}

pub async fn memory() -> Arc<Backend> {
    let entropy = Arc::new(CountingEntropy::new());
    let store = MemoryStore::new(entropy.clone());
    bundle(&Arc::new(store.clone()), entropy, Inside::Memory(store), None, None)
}

pub async fn sqlite() -> Arc<Backend> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("keystead.db");
    let url = format!("sqlite://{}", file.display());
    let (database, entropy) = migrated(DatabaseUrl::sqlite(&file)).await;
    let store = Arc::new(database);
    bundle(&store.clone(), entropy, Inside::Sql(connect(&url).await), Some(store), Some(folder))
}

pub async fn postgres() -> Arc<Backend> {
    postgres_at(&support::postgres::fresh_database()).await
}

pub async fn postgres_at(url: &str) -> Arc<Backend> {
    let (database, entropy) = migrated(DatabaseUrl::new(url)).await;
    let store = Arc::new(database);
    bundle(&store.clone(), entropy, Inside::Sql(connect(url).await), Some(store), None)
}

async fn migrated(url: DatabaseUrl) -> (Database, Arc<CountingEntropy>) {
    let entropy = Arc::new(CountingEntropy::new());
    let settings =
        Settings { acquire_timeout: PATIENCE, operation_timeout: PATIENCE, max_connections: 8, ..Settings::new(url) };
    let database = Database::connect(&settings, entropy.clone()).await.expect("the database answers");
    database.migrate().await.expect("the schema is made");
    (database, entropy)
}

/// A connection past the ports.
async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2);
    sea_orm::Database::connect(options).await.expect("the database answers")
}

fn bundle<S: Store + Administration + 'static>(
    store: &Arc<S>,
    entropy: Arc<CountingEntropy>,
    inside: Inside,
    retention: Option<Arc<dyn Retention>>,
    folder: Option<TempDir>,
) -> Arc<Backend> {
    Arc::new(Backend {
        users: store.clone(),
        profiles: store.clone(),
        directory: store.clone(),
        transfer: store.clone(),
        passwords: store.clone(),
        attempts: store.clone(),
        sessions: store.clone(),
        tokens: store.clone(),
        outbox: store.clone(),
        email_changes: store.clone(),
        factors: store.clone(),
        identities: store.clone(),
        flows: store.clone(),
        revocations: store.clone(),
        keys: store.clone(),
        audit: store.clone(),
        trail: store.clone(),
        retention,
        probe: store.clone(),
        rights: store.clone(),
        roles: store.clone(),
        service_accounts: store.clone(),
        principals: store.clone(),
        clock: Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000))),
        entropy,
        inside,
        _folder: folder,
    })
}
