//! The three stores, each as a bundle of ports.

use std::sync::Arc;

use keystead::domain::clock::Timestamp;
use keystead::domain::manual_clock::{CountingEntropy, ManualClock};
use keystead::domain::ports::{Attempts, AuditLog, Keys, OneTimeTokens, Outbox, Probe, Revocations, Sessions, Users};
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
