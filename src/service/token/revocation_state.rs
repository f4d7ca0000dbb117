//! Whether tokens can be judged: the index of revocations, how fresh it is, and who is told of what comes new.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use keystead_verifier::{Change, LiveRevocation, RevocationIndex, RevokedTarget};
use tokio::sync::{Notify, broadcast};

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::revocation::{Revocation, RevocationCursor, RevocationTarget};
use crate::service::error::{ServiceError, ServiceResult};

/// When to ask again while revocations have not been read for too long.
const STALE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A wall clock that goes back by more, in milliseconds, has been ahead: what was read meanwhile was judged by a wrong
/// time. Less than the leeway by which a revocation outlasts its tokens.
pub(super) const CLOCK_WAS_AHEAD: i64 = 1_000;

/// As of when every revocation is in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// For those who are told.
    pub at: Timestamp,
    /// For the judgement of staleness: a stepped wall clock changes nothing.
    pub monotonic: Duration,
}

impl Completeness {
    /// By how much the wall clock is ahead of the monotonic one, in milliseconds: changes only when it is stepped.
    pub fn ahead(&self) -> i64 {
        self.at.as_millis().saturating_sub(i64::try_from(self.monotonic.as_millis()).unwrap_or(i64::MAX))
    }
}

/// How far the table has been read, and as of when that is all there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub cursor: RevocationCursor,
    pub complete: Completeness,
}

/// What the index has just learnt.
#[derive(Clone, Debug)]
pub enum News {
    Revoked(Arc<[LiveRevocation]>),
    /// All that was to be learnt until then has been told before.
    Progress(Progress),
}

/// How many news a slow listener may be behind before some are lost to it: a second and a half of 10,000 a second that
/// come one by one.
pub(super) const NEWS_KEPT: usize = 16_384;

/// Revocations in one piece of news at most. What a reading of the table brings comes as many pieces: so what is kept
/// for a listener who has stopped is bounded by 65,536 revocations, some 3 MiB, however many one reading brings.
pub(super) const MAX_TOLD: usize = 4;

/// The live revocations in RAM, and as of when they are complete.
pub struct RevocationState {
    index: RevocationIndex,
    progress: ArcSwapOption<Progress>,
    news: broadcast::Sender<News>,
    /// Held while the index learns and tells: progress must not overtake what another thread has learnt.
    telling: Mutex<()>,
    key_revoked: Notify,
    clock: Arc<dyn Clock>,
    max_staleness: Duration,
}

impl RevocationState {
    /// An empty state, which judges nothing until the table has been read once.
    pub fn new(clock: Arc<dyn Clock>, max_staleness: Duration) -> Self {
        Self {
            index: RevocationIndex::default(),
            progress: ArcSwapOption::empty(),
            news: broadcast::Sender::new(NEWS_KEPT),
            telling: Mutex::default(),
            key_revoked: Notify::new(),
            clock,
            max_staleness,
        }
    }

    pub fn index(&self) -> &RevocationIndex {
        &self.index
    }

    /// Puts revocations into the index, and tells the listeners of those that it did not know.
    pub fn apply(&self, revocations: &[Revocation]) {
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        let live = revocations.iter().map(live);
        let learnt: Vec<_> = live.filter(|revocation| self.index.revoke(revocation) == Change::New).collect();
        if learnt.iter().any(|revocation| matches!(revocation.target, RevokedTarget::Key(_))) {
            self.key_revoked.notify_one();
        }
        for part in learnt.chunks(MAX_TOLD) {
            self.tell(News::Revoked(part.into()));
        }
    }

    /// News from now on. What was learnt before is in the index already.
    pub fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    fn tell(&self, news: News) {
        // An error says that nobody listens.
        drop(self.news.send(news));
    }

    /// Waits for the revocation of a key; for one waiter.
    pub async fn key_revoked(&self) {
        self.key_revoked.notified().await;
    }

    /// Both clocks, read before the table is: what [`Self::completed`] is told afterwards.
    pub fn begin(&self) -> Completeness {
        Completeness { at: self.clock.now(), monotonic: self.clock.monotonic() }
    }

    /// Notes that every revocation committed before `reading` began is in the index, and forgets the dead ones.
    pub fn completed(&self, reading: Completeness, cursor: RevocationCursor) {
        self.index.prune(reading.at.as_millis());
        let progress = Progress { cursor, complete: reading };
        self.progress.store(Some(Arc::new(progress)));
        let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        self.tell(News::Progress(progress));
    }

    /// How far the table has been read; `None` before the first reading.
    pub fn progress(&self) -> Option<Progress> {
        self.progress.load().as_deref().copied()
    }

    /// For how long the index has been complete no longer; `None` before the first reading.
    pub fn age(&self) -> Option<Duration> {
        self.progress().map(|progress| self.clock.monotonic().saturating_sub(progress.complete.monotonic))
    }

    /// The age beyond which no token is judged.
    pub fn max_staleness(&self) -> Duration {
        self.max_staleness
    }

    /// As of when the index is complete, if that is recent enough to judge by, and not a time that is yet to come: by
    /// that one, revocations were forgotten that are alive.
    pub fn fresh(&self) -> ServiceResult<Timestamp> {
        let stale = ServiceError::RevocationStateStale { retry_after: STALE_RETRY_AFTER };
        let progress = self.progress.load();
        let complete = progress.as_deref().map(|progress| progress.complete).ok_or_else(|| stale.clone())?;
        let age = self.clock.monotonic().saturating_sub(complete.monotonic);
        let ahead = complete.at.as_millis().saturating_sub(self.clock.now().as_millis());
        if age > self.max_staleness || ahead > CLOCK_WAS_AHEAD { Err(stale) } else { Ok(complete.at) }
    }
}

/// A revocation in the index's words.
pub(super) fn live(revocation: &Revocation) -> LiveRevocation {
    let target = match &revocation.target {
        RevocationTarget::Session(id) => RevokedTarget::Session(id.as_uuid()),
        RevocationTarget::User { id, min_epoch } => RevokedTarget::User { id: id.as_uuid(), min_epoch: min_epoch.0 },
        RevocationTarget::Key(kid) => RevokedTarget::Key(kid.clone()),
    };
    LiveRevocation { target, expires_at: revocation.expires_at.as_millis() }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::domain::id::SessionId;
    use crate::service::testing::World;

    // promise T9
    #[tokio::test]
    async fn whoever_waits_for_the_revocation_of_a_key_wakes_for_that_alone() {
        let world = World::new().await;
        let expires_at = world.clock.now().after(Duration::from_hours(1));
        let learn = |target| world.revocations.apply(&[Revocation { target, expires_at }]);
        let is_woken = || world.revocations.key_revoked().now_or_never().is_some();
        assert!(!is_woken());
        learn(RevocationTarget::Session(SessionId::from_uuid(uuid::Uuid::from_u128(1))));
        assert!(!is_woken());
        learn(RevocationTarget::Key("a key".to_owned()));
        assert!(is_woken());
        learn(RevocationTarget::Key("a key".to_owned()));
        assert!(!is_woken(), "it is known already");
    }

    #[tokio::test]
    async fn the_age_counts_from_the_beginning_of_the_last_reading() {
        let world = World::new().await;
        assert_eq!(world.revocations.age(), None);
        for _ in 0..2 {
            world.reader().run_once().await.unwrap();
            assert_eq!(world.revocations.age(), Some(Duration::ZERO));
            world.advance(Duration::from_secs(3));
            assert_eq!(world.revocations.age(), Some(Duration::from_secs(3)));
        }
        assert_eq!(world.revocations.max_staleness(), world.settings.revocation.max_staleness);
    }

    // promise T8
    #[tokio::test]
    async fn what_is_as_old_as_it_may_be_is_fresh_and_what_is_older_is_not() {
        let world = World::new().await;
        world.reader().run_once().await.unwrap();
        let read_at = world.clock.now();
        world.advance(world.settings.revocation.max_staleness);
        assert_eq!(world.revocations.fresh(), Ok(read_at));
        world.advance(Duration::from_millis(1));
        assert!(world.revocations.fresh().is_err());
    }

    // promise R6
    #[tokio::test]
    async fn a_clock_may_go_back_by_a_second_and_no_more() {
        let world = World::new().await;
        world.reader().run_once().await.unwrap();
        let read_at = world.clock.now();
        let fresh_at = |millis: i64| {
            world.clock.step_to(Timestamp::from_millis(read_at.as_millis() - millis));
            world.revocations.fresh()
        };
        assert_eq!(fresh_at(1_000), Ok(read_at));
        assert!(fresh_at(1_001).is_err());
    }
}
