//! Removes rows that have had their time, a few at once, again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::settings::RetentionSettings;
use super::tally::PurgeTally;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::ports::retention::{Perishable, Retention};
use crate::domain::ports::{Probe, StoreResult};

/// How often what is due is looked for.
const INTERVAL: Duration = Duration::from_mins(10);

/// Rows that one transaction removes: few enough that nobody waits for it.
const BATCH: u32 = 500;

/// The pause after a full batch, which leaves the database to others.
const PAUSE: Duration = Duration::from_millis(100);

/// Rows stay for so long after they have expired. More than any clock is wrong that nobody notices, than a token
/// outlives its session, and than the hour by which mailed tokens are counted.
const MARGIN: Duration = Duration::from_hours(24);

/// Failures in a row are forgotten when nobody has tried for so long.
const FAILURES_KEPT: Duration = Duration::from_hours(90 * 24);

/// A source that an account has not signed in from for so long is new to it again.
const SOURCES_KEPT: Duration = Duration::from_hours(365 * 24);

/// Removes rows that have had their time.
pub struct PurgeExpired {
    pub store: Arc<dyn Retention>,
    pub probe: Arc<dyn Probe>,
    pub clock: Arc<dyn Clock>,
    pub settings: RetentionSettings,
    pub tally: Arc<PurgeTally>,
}

impl PurgeExpired {
    /// Removes everything that is due; how many rows that was.
    pub async fn run_once(&self) -> StoreResult<u64> {
        let now = self.now().await?;
        let mut gone = 0;
        for (what, before) in self.due(now) {
            loop {
                let batch = self.store.purge(what, before, BATCH).await?;
                gone += batch;
                self.tally.removed(what, batch);
                if batch < u64::from(BATCH) {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.tally.completed(self.clock.monotonic());
        Ok(gone)
    }

    /// Purges until cancelled. What fails is tried again the next time.
    pub async fn run(&self, cancelled: CancellationToken) {
        let rounds = async {
            loop {
                match self.run_once().await {
                    Ok(0) => {}
                    Ok(gone) => tracing::info!(rows = gone, "expired rows were removed"),
                    Err(error) => tracing::warn!(%error, "expired rows could not be removed"),
                }
                tokio::time::sleep(INTERVAL).await;
            }
        };
        // A batch that is dropped half-way is rolled back.
        cancelled.run_until_cancelled(rounds).await;
    }

    /// The earlier of our clock and the database's: one that is ahead must not take away what others still need.
    async fn now(&self) -> StoreResult<Timestamp> {
        let ours = self.clock.now();
        Ok(self.probe.time().await?.map_or(ours, |theirs| theirs.min(ours)))
    }

    /// What is due, and by which time.
    fn due(&self, now: Timestamp) -> Vec<(Perishable, Timestamp)> {
        let expired = now.before(MARGIN);
        let audit = self.settings.audit.map(|kept| (Perishable::AuditEvents, now.before(kept)));
        let others = [
            (Perishable::Revocations, expired),
            (Perishable::OneTimeTokens, expired),
            (Perishable::OAuthFlows, expired),
            (Perishable::Sessions, expired),
            (Perishable::LoginFailures, now.before(FAILURES_KEPT)),
            (Perishable::KnownSources, now.before(SOURCES_KEPT)),
            (Perishable::SignInChallenges, expired),
        ];
        audit.into_iter().chain(others).collect()
    }
}

#[cfg(test)]
mod tests;
