//! Server keys, the audit trail and the probe.

use async_trait::async_trait;

use crate::domain::audit::AuditEvent;
use crate::domain::clock::Timestamp;
use crate::domain::key::{KeySwap, RingChange, StoredKeys};
use crate::domain::ports::{AuditContext, AuditLog, Keys, Probe, StoreResult};

use super::MemoryStore;

#[async_trait]
impl Keys for MemoryStore {
    async fn load(&self) -> StoreResult<StoredKeys> {
        Ok(self.open()?.keys.clone())
    }

    async fn swap(&self, expected_version: i64, change: RingChange, context: &AuditContext) -> StoreResult<KeySwap> {
        let mut state = self.open()?;
        if state.keys.version != expected_version {
            return Ok(KeySwap::Lost);
        }
        state.keys = StoredKeys { version: expected_version + 1, keys: change.keys };
        state.revocations.extend(change.revocations);
        for event in change.events {
            state.record(event, context);
        }
        Ok(KeySwap::Swapped)
    }
}

#[async_trait]
impl AuditLog for MemoryStore {
    async fn record(&self, event: AuditEvent, context: &AuditContext) -> StoreResult<()> {
        self.open()?.record(event, context);
        Ok(())
    }
}

#[async_trait]
impl Probe for MemoryStore {
    async fn time(&self) -> StoreResult<Option<Timestamp>> {
        self.open().map(|_| None)
    }

    async fn takes_changes(&self) -> StoreResult<bool> {
        self.open().map(|_| true)
    }
}
