//! Follows the table of revocations: all of it at the start, then what is new, every half second or when told to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::revocation_state::RevocationState;
use crate::domain::clock::Clock;
use crate::domain::ports::{RevocationSignal, Revocations, StoreResult};
use crate::domain::revocation::RevocationCursor;

/// Follows the table of revocations.
pub struct ReadRevocations {
    table: Arc<dyn Revocations>,
    signal: Arc<dyn RevocationSignal>,
    state: Arc<RevocationState>,
    clock: Arc<dyn Clock>,
    poll_interval: Duration,
    cursor: Mutex<RevocationCursor>,
}

impl ReadRevocations {
    pub fn new(
        table: Arc<dyn Revocations>,
        signal: Arc<dyn RevocationSignal>,
        state: Arc<RevocationState>,
        clock: Arc<dyn Clock>,
        poll_interval: Duration,
    ) -> Self {
        Self { table, signal, state, clock, poll_interval, cursor: Mutex::new(RevocationCursor::default()) }
    }

    /// Reads what is new. The state is complete as of the moment before the reading began, not after it ended.
    pub async fn run_once(&self) -> StoreResult<()> {
        let mut cursor = self.cursor.lock().await;
        let reading = self.state.begin();
        let page = self.table.read(*cursor, self.clock.now()).await?;
        self.state.apply(&page.revocations);
        self.state.completed(reading);
        *cursor = page.cursor;
        Ok(())
    }

    /// Reads until cancelled. A reading that fails is tried again after the interval: staleness tells the rest.
    pub async fn run(&self, cancelled: CancellationToken) {
        let mut failing = false;
        while !cancelled.is_cancelled() {
            match self.run_once().await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(%error, "revocations could not be read");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = self.signal.heard() => {}
                () = tokio::time::sleep(self.poll_interval) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
