//! The three stores, each as a bundle of ports.

use std::sync::Arc;

use keystead::domain::clock::Timestamp;
use keystead::domain::manual_clock::{CountingEntropy, ManualClock};
use keystead::domain::ports::{Attempts, AuditLog, Keys, OneTimeTokens, Outbox, Probe, Revocations, Sessions, Users};
use keystead::store::db::{Database, DatabaseUrl, Settings};
use keystead::store::memory::MemoryStore;
use tempfile::TempDir;

use crate::trail::Inside;

/// An empty store and what a check needs to use it.
pub struct Backend {
    pub users: Arc<dyn Users>,
    pub attempts: Arc<dyn Attempts>,
    pub sessions: Arc<dyn Sessions>,
    pub tokens: Arc<dyn OneTimeTokens>,
    pub outbox: Arc<dyn Outbox>,
    pub revocations: Arc<dyn Revocations>,
    pub keys: Arc<dyn Keys>,
    pub audit: Arc<dyn AuditLog>,
    pub probe: Arc<dyn Probe>,
    pub clock: Arc<ManualClock>,
    pub entropy: Arc<CountingEntropy>,
    pub inside: Inside,
    /// Holds the database file; gone with the check.
    pub folder: Option<TempDir>,
}

trait Store: Users + Attempts + Sessions + OneTimeTokens + Outbox + Revocations + Keys + AuditLog + Probe {}

impl<S> Store for S where S: Users + Attempts + Sessions + OneTimeTokens + Outbox + Revocations + Keys + AuditLog + Probe
{}

pub async fn memory() -> Arc<Backend> {
    let entropy = Arc::new(CountingEntropy::new());
    let store = MemoryStore::new(entropy.clone());
    bundle(Arc::new(store.clone()), entropy, Inside::Memory(store), None)
}

pub async fn sqlite() -> Arc<Backend> {
    let folder = TempDir::new().expect("a folder for the database");
    let path = folder.path().join("keystead.db");
    let url = format!("sqlite://{}?mode=rw", path.display());
    sql(DatabaseUrl::sqlite(&path), &url, Some(folder)).await
}

pub async fn postgres() -> Arc<Backend> {
    let fresh = tokio::task::spawn_blocking(crate::support::postgres::fresh_database);
    let url = fresh.await.expect("a server");
    sql(DatabaseUrl::new(url.clone()), &url, None).await
}

async fn sql(url: DatabaseUrl, inside: &str, folder: Option<TempDir>) -> Arc<Backend> {
    let entropy = Arc::new(CountingEntropy::new());
    let mut settings = Settings::new(url);
    // 64 tasks at once on a busy machine: what is tried here is who wins, not how fast.
    settings.operation_timeout = std::time::Duration::from_secs(20);
    settings.acquire_timeout = settings.operation_timeout;
    settings.max_connections = 8;
    let database = Database::connect(&settings, entropy.clone()).await.expect("a connection");
    database.migrate().await.expect("the schema");
    let inside = sea_orm::Database::connect(inside).await.expect("a way past the ports");
    bundle(Arc::new(database), entropy, Inside::Sql(inside), folder)
}

fn bundle<S: Store + 'static>(
    store: Arc<S>,
    entropy: Arc<CountingEntropy>,
    inside: Inside,
    folder: Option<TempDir>,
) -> Arc<Backend> {
    Arc::new(Backend {
        users: store.clone(),
        attempts: store.clone(),
        sessions: store.clone(),
        tokens: store.clone(),
        outbox: store.clone(),
        revocations: store.clone(),
        keys: store.clone(),
        audit: store.clone(),
        probe: store,
        clock: Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000))),
        entropy,
        inside,
        folder,
    })
}
