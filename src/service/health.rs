//! What the service can do at the moment, for health checks of every protocol.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::keys::live_keys::LiveKeys;
use super::token::revocation_state::RevocationState;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::ports::Probe;

/// How often the state is judged anew.
const INTERVAL: Duration = Duration::from_secs(1);

/// A database that takes longer to answer is as good as away.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// How far the database's clock may be from ours, beside the time that the question took.
const MAX_DIFFERENCE: Duration = Duration::from_secs(2);

/// What the service can do.
#[expect(clippy::struct_excessive_bools, reason = "six facts that vary independently of one another")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it has ever been able to verify tokens: the latch behind `/startupz`.
    pub started: bool,
    /// Whether access tokens can be judged now.
    pub verifies: bool,
    /// Whether the key ring is fresh enough to sign with.
    pub signs: bool,
    /// Whether the database answers, and takes changes.
    pub database: bool,
    /// Whether this replica's clock is the database's, as far as was last seen: lifetimes and revocations that
    /// replicas write for one another are told in wall time.
    pub clock: bool,
    /// Whether the service is about to stop.
    pub draining: bool,
}

impl Health {
    /// Whether calls should come here: `/readyz`, and the health of the server as a whole and of `TokenService`. A
    /// database that is away does not count, or every replica would be taken out at once and with it VerifyToken. A
    /// clock that has gone wrong does: this replica judges by it.
    pub fn is_ready(&self) -> bool {
        self.verifies && self.clock && !self.draining
    }

    /// Whether people can be signed in: the health of `AuthService`.
    pub fn signs_in(&self) -> bool {
        self.is_ready() && self.signs && self.database
    }
}

/// Judges what the service can do and tells whoever watches.
pub struct HealthState {
    revocations: Arc<RevocationState>,
    keys: Arc<LiveKeys>,
    probe: Arc<dyn Probe>,
    clock: Arc<dyn Clock>,
    health: watch::Sender<Health>,
}

impl HealthState {
    pub fn new(
        revocations: Arc<RevocationState>,
        keys: Arc<LiveKeys>,
        probe: Arc<dyn Probe>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { revocations, keys, probe, clock, health: watch::Sender::new(Health::default()) }
    }

    /// What was last judged; for who wants to be told of changes.
    pub fn subscribe(&self) -> watch::Receiver<Health> {
        self.health.subscribe()
    }

    /// What the service can do now; the database as it was last seen.
    pub fn current(&self) -> Health {
        self.judged(*self.health.borrow())
    }

    /// Makes the service not ready, for good.
    pub fn drain(&self) {
        self.health.send_modify(|health| health.draining = true);
    }

    /// Judges anew: first what is in memory, so that a hanging database delays no word of it.
    pub async fn run_once(&self) {
        self.publish(|health| self.judged(health));
        let before = self.clock.now();
        let seen = tokio::time::timeout(PROBE_TIMEOUT, self.probe.time()).await;
        let after = self.clock.now();
        let takes_changes = tokio::time::timeout(PROBE_TIMEOUT, self.probe.takes_changes()).await;
        self.publish(|health| {
            let Ok(Ok(theirs)) = seen else { return self.judged(Health { database: false, ..health }) };
            let clock = theirs.is_none_or(|theirs| agrees(theirs, before, after));
            self.judged(Health { database: matches!(takes_changes, Ok(Ok(true))), clock, ..health })
        });
        if !self.health.borrow().clock && matches!(seen, Ok(Ok(_))) {
            tracing::error!("this replica's clock is not the database's: not ready");
        }
    }

    /// Judges until cancelled.
    pub async fn run(&self, cancelled: CancellationToken) {
        while !cancelled.is_cancelled() {
            self.run_once().await;
            tokio::select! {
                () = cancelled.cancelled() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    fn judged(&self, last: Health) -> Health {
        let verifies = self.revocations.fresh().is_ok();
        let signs = self.keys.signing_ring().is_ok();
        Health { started: last.started || verifies, verifies, signs, ..last }
    }

    fn publish(&self, change: impl FnOnce(Health) -> Health) {
        self.health.send_if_modified(|health| {
            let next = change(*health);
            let changed = next != *health;
            *health = next;
            changed
        });
    }
}

/// Whether a clock that was read between `before` and `after` of ours is ours.
fn agrees(theirs: Timestamp, before: Timestamp, after: Timestamp) -> bool {
    theirs >= before.before(MAX_DIFFERENCE) && theirs <= after.after(MAX_DIFFERENCE)
}

#[cfg(test)]
mod tests;
