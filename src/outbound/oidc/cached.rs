//! What a provider publishes, kept for a while: asked for by one at a time, and never too often.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::domain::clock::Clock;

/// A published document. Whoever comes while it is being fetched waits for that one answer.
pub struct Cached<T> {
    slot: Mutex<Slot<T>>,
    clock: Arc<dyn Clock>,
}

struct Slot<T> {
    /// The document, and the monotonic time at which it was asked for.
    kept: Option<(Arc<T>, Duration)>,
    /// When it was last asked for, in vain or not.
    tried_at: Option<Duration>,
}

/// How old a document may be, and how long to wait before it is asked for once more.
#[derive(Clone, Copy)]
pub struct Freshness {
    pub max_age: Duration,
    pub pause: Duration,
}

impl<T> Cached<T> {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { slot: Mutex::new(Slot { kept: None, tried_at: None }), clock }
    }

    /// The document, fetched anew where it is too old and was not asked for just now. An old one is better than none:
    /// `None` where there is none at all.
    pub async fn get<F>(&self, freshness: Freshness, fetch: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = Option<T>>,
    {
        let mut slot = self.slot.lock().await;
        let now = self.clock.monotonic();
        let is_younger = |at: Duration, than: Duration| now.saturating_sub(at) < than;
        let old = slot.kept.as_ref().map(|(document, _)| Arc::clone(document));
        if slot.kept.as_ref().is_some_and(|(_, at)| is_younger(*at, freshness.max_age))
            || slot.tried_at.is_some_and(|at| is_younger(at, freshness.pause))
        {
            return old;
        }
        slot.tried_at = Some(now);
        let Some(fetched) = fetch().await else { return old };
        let fetched = Arc::new(fetched);
        slot.kept = Some((Arc::clone(&fetched), now));
        Some(fetched)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::manual_clock::ManualClock;

    const HOUR: Freshness = Freshness { max_age: Duration::from_hours(1), pause: Duration::from_secs(1) };
    const NOW: Freshness = Freshness { max_age: Duration::ZERO, pause: Duration::from_secs(30) };

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)))
    }

    async fn number(cached: &Cached<u32>, freshness: Freshness, fetched: &AtomicU32) -> Option<u32> {
        let fetch = || async { Some(fetched.fetch_add(1, Ordering::SeqCst)) };
        cached.get(freshness, fetch).await.map(|number| *number)
    }

    #[tokio::test]
    async fn a_document_is_kept_and_fetched_anew_when_it_is_old() {
        let (clock, fetched) = (clock(), AtomicU32::new(1));
        let cached = Cached::new(clock.clone());
        assert_eq!(number(&cached, HOUR, &fetched).await, Some(1));
        assert_eq!(number(&cached, HOUR, &fetched).await, Some(1));
        clock.advance(HOUR.max_age);
        assert_eq!(number(&cached, HOUR, &fetched).await, Some(2));
    }

    // promise O3
    #[tokio::test]
    async fn whoever_wants_a_new_one_gets_it_every_half_minute_at_most() {
        let (clock, fetched) = (clock(), AtomicU32::new(1));
        let cached = Cached::new(clock.clone());
        assert_eq!(number(&cached, HOUR, &fetched).await, Some(1));
        for _ in 0..10 {
            assert_eq!(number(&cached, NOW, &fetched).await, Some(1));
        }
        clock.advance(NOW.pause);
        for _ in 0..10 {
            assert_eq!(number(&cached, NOW, &fetched).await, Some(2));
        }
    }

    #[tokio::test]
    async fn an_old_document_outlives_a_failure_and_failures_are_not_repeated_at_once() {
        let (clock, fetched) = (clock(), AtomicU32::new(1));
        let cached: Cached<u32> = Cached::new(clock.clone());
        assert!(cached.get(HOUR, || async { None }).await.is_none());
        assert_eq!(number(&cached, HOUR, &fetched).await, None, "asked for just now");
        clock.advance(HOUR.pause);
        assert_eq!(number(&cached, HOUR, &fetched).await, Some(1));
        clock.advance(HOUR.max_age);
        assert_eq!(cached.get(HOUR, || async { None }).await.as_deref(), Some(&1));
    }

    #[tokio::test]
    async fn those_who_come_together_share_one_fetch() {
        let (cached, fetched) = (Cached::new(clock()), AtomicU32::new(0));
        let fetch = || async {
            tokio::task::yield_now().await;
            Some(fetched.fetch_add(1, Ordering::SeqCst))
        };
        futures_util::future::join_all((0..64).map(|_| cached.get(HOUR, fetch))).await;
        assert_eq!(fetched.load(Ordering::SeqCst), 1);
    }
}
