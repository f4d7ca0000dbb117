//! The record of failures in a row and of known sources.

use async_trait::async_trait;

use crate::domain::ports::{Attempts, AuditContext, StoreResult};
use crate::domain::throttle::{Attempt, AttemptKeys};

use super::MemoryStore;

#[async_trait]
impl Attempts for MemoryStore {
    async fn count(&self, keys: &AttemptKeys, _context: &AuditContext) -> StoreResult<Attempt> {
        let mut state = self.open()?;
        let failures = state.failures.entry(keys.account).or_default();
        *failures = failures.saturating_add(1);
        let in_a_row = *failures;
        let known_source = state.known_sources.get(&keys.account).is_some_and(|known| known.contains(&keys.source));
        Ok(Attempt { in_a_row, known_source })
    }

    async fn clear(&self, keys: &AttemptKeys) -> StoreResult<()> {
        self.open()?.failures.remove(&keys.account);
        Ok(())
    }
}
