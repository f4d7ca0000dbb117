//! Follows the table of revocations: all of it at the start, then what is new, every half second or when told to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::revocation_state::{CLOCK_WAS_AHEAD, Completeness, RevocationState};
use crate::domain::ports::{RevocationSignal, Revocations, StoreResult};
use crate::domain::revocation::RevocationCursor;

/// Follows the table of revocations.
pub struct ReadRevocations {
    table: Arc<dyn Revocations>,
    signal: Arc<dyn RevocationSignal>,
    state: Arc<RevocationState>,
    poll_interval: Duration,
    place: Mutex<Place>,
}

/// How far the table has been read, and under which clock.
#[derive(Default)]
struct Place {
    cursor: RevocationCursor,
    /// The furthest that the wall clock has been ahead of the monotonic one, in milliseconds.
    furthest: Option<i64>,
}

impl Place {
    /// Begins anew where the wall clock has been ahead: revocations that are alive again were left out or forgotten.
    fn judge_clock(&mut self, reading: &Completeness) {
        let ahead = reading.ahead();
        match self.furthest {
            Some(furthest) if ahead < furthest - CLOCK_WAS_AHEAD => {
                tracing::warn!(by = furthest - ahead, "the clock went back: every revocation is read again");
                *self = Self { cursor: RevocationCursor::default(), furthest: Some(ahead) };
            }
            furthest => self.furthest = furthest.max(Some(ahead)),
        }
    }
}

impl ReadRevocations {
    pub fn new(
        table: Arc<dyn Revocations>,
        signal: Arc<dyn RevocationSignal>,
        state: Arc<RevocationState>,
        poll_interval: Duration,
    ) -> Self {
        Self { table, signal, state, poll_interval, place: Mutex::default() }
    }

    /// Reads what is new. The state is complete as of the moment before the reading began, not after it ended.
    ///
    /// After a failure everything is read again: another server may have taken the old one's place, without its last
    /// transactions and with their numbers given a second time.
    pub async fn run_once(&self) -> StoreResult<()> {
        let mut place = self.place.lock().await;
        let reading = self.state.begin();
        place.judge_clock(&reading);
        let from = std::mem::take(&mut place.cursor);
        let page = self.table.read(from, reading.at).await?;
        self.state.apply(&page.revocations);
        self.state.completed(reading, page.cursor);
        place.cursor = page.cursor;
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
