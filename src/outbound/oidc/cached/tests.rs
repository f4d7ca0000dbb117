//! A provider that answers, hangs and fails, as a clock that is moved by hand has it.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::manual_clock::ManualClock;

/// A provider whose answers wait for their leave, one for each.
struct Scene {
    cached: Cached<u32>,
    clock: Arc<ManualClock>,
    answers: Arc<Semaphore>,
    fetches: Arc<AtomicU32>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let cached = Cached::new(clock.clone());
        Self { cached, clock, answers: Arc::new(Semaphore::new(0)), fetches: Arc::default() }
    }

    /// A provider that answers at once.
    fn ready() -> Self {
        let scene = Self::new();
        scene.answers.add_permits(1_000);
        scene
    }

    /// Gives out the number of the fetch, or fails, once it has leave to.
    fn fetch(&self, succeeds: bool) -> impl Future<Output = Option<u32>> + Send + 'static {
        let (answers, fetches) = (Arc::clone(&self.answers), Arc::clone(&self.fetches));
        async move {
            let number = fetches.fetch_add(1, Ordering::SeqCst) + 1;
            answers.acquire().await.unwrap().forget();
            succeeds.then_some(number)
        }
    }

    async fn get(&self) -> Option<u32> {
        self.cached.get(|| self.fetch(true)).await.map(|number| *number)
    }

    async fn get_in_vain(&self) -> Option<u32> {
        self.cached.get(|| self.fetch(false)).await.map(|number| *number)
    }

    async fn renewed(&self) -> Option<u32> {
        self.cached.renewed(|| self.fetch(true)).await.map(|number| *number)
    }

    fn fetches(&self) -> u32 {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Lets every task that can go on do so.
    async fn settle(&self) {
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_document_is_kept_and_fetched_anew_when_it_is_old() {
    let scene = Scene::ready();
    assert_eq!(scene.get().await, Some(1));
    scene.clock.advance(MAX_AGE.saturating_sub(Duration::from_secs(1)));
    assert_eq!(scene.get().await, Some(1));
    scene.settle().await;
    assert_eq!(scene.fetches(), 1);
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.get().await, Some(1), "the old one meanwhile");
    scene.settle().await;
    assert_eq!((scene.get().await, scene.fetches()), (Some(2), 2));
}

#[tokio::test]
async fn a_document_of_yesterday_is_waited_for() {
    let scene = Scene::ready();
    assert_eq!(scene.get().await, Some(1));
    scene.clock.advance(MAX_AGE_MEANWHILE);
    assert_eq!(scene.get().await, Some(2));
}

// promise O3
#[tokio::test]
async fn whoever_wants_a_new_one_gets_it_every_half_minute_at_most() {
    let scene = Scene::ready();
    assert_eq!(scene.get().await, Some(1));
    for _ in 0..10 {
        assert_eq!(scene.renewed().await, Some(1));
    }
    scene.clock.advance(RENEWAL_PAUSE);
    for _ in 0..10 {
        assert_eq!(scene.renewed().await, Some(2));
    }
    assert_eq!(scene.fetches(), 2);
}

#[tokio::test]
async fn while_a_provider_hangs_everybody_gets_the_old_document_at_once_and_one_fetch_runs() {
    let scene = Scene::new();
    scene.answers.add_permits(1);
    assert_eq!(scene.get().await, Some(1));
    scene.clock.advance(MAX_AGE);
    for _ in 0..64 {
        assert_eq!(scene.get().now_or_never(), Some(Some(1)));
        scene.settle().await;
    }
    // Whoever needs a new one waits, and whoever does not still does not.
    let (renewed, get) = (scene.renewed(), scene.get());
    let mut renewed = std::pin::pin!(renewed);
    assert_eq!(renewed.as_mut().now_or_never(), None);
    assert_eq!(get.now_or_never(), Some(Some(1)));
    scene.answers.add_permits(1);
    assert_eq!((renewed.await, scene.fetches()), (Some(2), 2));
}

#[tokio::test]
async fn those_who_come_together_share_one_fetch_and_its_failure() {
    let scene = Scene::new();
    let together = futures_util::future::join_all((0..64).map(|_| scene.get_in_vain()));
    let mut together = std::pin::pin!(together);
    assert!(together.as_mut().now_or_never().is_none());
    // As long as a hanging provider keeps them: the pause begins when the fetch has ended.
    scene.clock.advance(FAILURE_PAUSE);
    scene.answers.add_permits(64);
    assert!(together.await.into_iter().all(|document| document.is_none()));
    assert_eq!(scene.get().await, None, "it has failed just now");
    assert_eq!(scene.fetches(), 1);
}

#[tokio::test]
async fn a_fetch_outlives_whoever_asked_for_it() {
    let scene = Scene::new();
    assert_eq!(scene.get().now_or_never(), None);
    scene.settle().await;
    assert_eq!(scene.get().now_or_never(), None);
    scene.answers.add_permits(1);
    assert_eq!((scene.get().await, scene.fetches()), (Some(1), 1));
}

#[tokio::test]
async fn a_failure_is_not_repeated_at_once_and_is_forgotten_with_the_next_success() {
    let scene = Scene::ready();
    assert_eq!(scene.get_in_vain().await, None);
    scene.clock.advance(FAILURE_PAUSE.saturating_sub(Duration::from_millis(1)));
    assert_eq!(scene.get().await, None);
    assert_eq!(scene.fetches(), 1);
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.get().await, Some(2));
    scene.clock.advance(MAX_AGE);
    for _ in 0..2 {
        assert_eq!(scene.get_in_vain().await, Some(2), "an old one is better than none");
        scene.settle().await;
    }
    assert_eq!(scene.fetches(), 3);
    scene.clock.advance(FAILURE_PAUSE);
    assert_eq!((scene.renewed().await, scene.fetches()), (Some(4), 4));
}

#[tokio::test]
async fn a_fetch_that_breaks_off_keeps_nobody_waiting_for_ever() {
    let scene = Scene::ready();
    assert_eq!(scene.cached.get(broken).await, None);
    assert_eq!(scene.get().await, Some(1));
}

async fn broken() -> Option<u32> {
    panic!("a fault of the code")
}
