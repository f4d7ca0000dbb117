//! What is revoked, as the service tells it, and as of when that is all.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keystead_verifier::{LiveRevocation, RevocationIndex, RevokedTarget};
use tokio::sync::watch;

use crate::clock::{Clock, millis};
use crate::pb::WatchRevocationsResponse;

mod follow;
mod message;

pub(crate) use follow::Follower;

/// How often what no longer matters is forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(10);

/// The live revocations, and as of when they are complete.
pub(crate) struct Feed {
    pub(crate) index: RevocationIndex,
    clock: Arc<dyn Clock>,
    told: watch::Sender<Told>,
    pruned: Mutex<Pruned>,
}

/// How far the feed has been told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// As of when nothing is missing, by the monotonic clock; `None` before the first snapshot.
    complete: Option<Duration>,
    /// Where to resume; empty for the beginning.
    pub(crate) cursor: String,
}

#[derive(Clone, Copy, Default)]
struct Pruned {
    /// By the monotonic clock.
    done_at: Duration,
    /// What had expired by then, in milliseconds since the Unix epoch, has been forgotten.
    up_to: i64,
}

/// Whether a message has revoked a key.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    KeyRevoked,
    NoKeyRevoked,
}

/// How the server's clock lies to the monotonic one, as seen in one stream.
///
/// A message that was held up on its way, or in this process, was made earlier than its receipt makes it seem. No message
/// of a stream was made before the stream was asked for: that tells by how much the first one may be late, and the
/// quickest one how late the others are.
#[derive(Debug)]
pub(crate) struct Transit {
    /// By the monotonic clock.
    asked_at: Duration,
    /// Receipt less the time of making, in milliseconds, of a message that would have taken no time at all, or less.
    quickest: Option<i64>,
    /// By how much the last message was later than that.
    late: Duration,
}

/// A message that is late by more than this ends its stream: the stream has been asleep, the server's clock has been put
/// back, or the first message was long in coming, and only a new stream can tell.
const TOO_LATE: Duration = Duration::from_secs(2);

impl Transit {
    /// As of when the feed is complete by a message that was received at `receipt`: its receipt less `age`, or earlier
    /// where the message may have been on its way.
    fn complete_at(&mut self, receipt: Duration, complete_time: i64, age: Duration) -> Duration {
        let made_at = complete_time.saturating_add(millis(age));
        let offset = millis(receipt).saturating_sub(made_at);
        let at_least = self.quickest.unwrap_or_else(|| millis(self.asked_at).saturating_sub(made_at));
        let quickest = at_least.min(offset);
        self.quickest = Some(quickest);
        self.late = Duration::from_millis(u64::try_from(offset.saturating_sub(quickest)).unwrap_or_default());
        receipt.saturating_sub(age).saturating_sub(self.late)
    }

    pub(crate) fn is_too_late(&self) -> bool {
        self.late > TOO_LATE
    }
}

impl Feed {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { index: RevocationIndex::default(), clock, told: watch::Sender::default(), pruned: Mutex::default() }
    }

    /// How long ago nothing was missing; `None` before the first snapshot is complete.
    pub(crate) fn staleness(&self) -> Option<Duration> {
        let complete = self.told.borrow().complete;
        complete.map(|complete| self.clock.monotonic().saturating_sub(complete))
    }

    /// Waits for the first snapshot.
    pub(crate) async fn ready(&self) {
        self.reached(|told| told.complete.is_some()).await;
    }

    /// Waits until the feed has been told so far.
    pub(crate) async fn reached(&self, far: impl FnMut(&Told) -> bool) {
        // The sender lives as long as the feed.
        drop(self.told.subscribe().wait_for(far).await);
    }

    /// Where to resume; empty for the beginning.
    pub(crate) fn cursor(&self) -> String {
        self.told.borrow().cursor.clone()
    }

    /// Begins anew next time.
    pub(crate) fn forget_cursor(&self) {
        self.told.send_modify(|told| told.cursor.clear());
    }

    /// For a stream that is about to be asked for.
    pub(crate) fn transit(&self) -> Transit {
        Transit { asked_at: self.clock.monotonic(), quickest: None, late: Duration::ZERO }
    }

    /// The time by which tokens are judged: never earlier than what has been forgotten, so that a clock that is put back
    /// brings nothing revoked to life.
    pub(crate) fn judged_at(&self) -> i64 {
        self.clock.now().max(self.pruned().up_to)
    }

    /// Takes a message in. A message that cannot be read is a fault of the whole stream: what it wanted revoked is not
    /// known.
    pub(crate) fn take(
        &self,
        message: WatchRevocationsResponse,
        transit: &mut Transit,
    ) -> Result<Taken, message::Unreadable> {
        let receipt = self.clock.monotonic();
        let mut taken = Taken::NoKeyRevoked;
        for revocation in &message.revocations {
            let mut revocation = message::read(revocation)?;
            if matches!(revocation.target, RevokedTarget::Key(_)) {
                taken = Taken::KeyRevoked;
                // Keys are few, and no key is ever brought back.
                revocation.expires_at = i64::MAX;
            }
            self.revoke(&revocation);
        }
        if let Some(complete_time) = message.complete_time {
            let age = message::span(message.age)?;
            let complete = transit.complete_at(receipt, message::millis_of(complete_time), age);
            self.told.send_modify(|told| {
                told.complete = told.complete.max(Some(complete));
                told.cursor = message.cursor;
            });
            self.prune(message::millis_of(complete_time));
        }
        Ok(taken)
    }

    fn revoke(&self, revocation: &LiveRevocation) {
        match self.index.revoke(revocation) {
            keystead_verifier::Change::New | keystead_verifier::Change::Known => {}
        }
    }

    /// Forgets what no longer matters by either clock.
    fn prune(&self, server_now: i64) {
        let now = self.clock.monotonic();
        let up_to = self.clock.now().min(server_now);
        {
            let mut pruned = self.pruned.lock().unwrap_or_else(PoisonError::into_inner);
            if now.saturating_sub(pruned.done_at) < PRUNE_EVERY {
                return;
            }
            *pruned = Pruned { done_at: now, up_to: up_to.max(pruned.up_to) };
        }
        self.index.prune(up_to);
    }

    fn pruned(&self) -> Pruned {
        *self.pruned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
