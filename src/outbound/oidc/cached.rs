//! What a provider publishes, kept for a while: fetched by one at a time, never too often, and whoever asks goes away or
//! not.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::domain::clock::Clock;

/// A document as young as this is as good as a new one.
const MAX_AGE: Duration = Duration::from_hours(1);
/// A document as young as this serves while a new one is fetched: a provider that hangs keeps nobody waiting.
const MAX_AGE_MEANWHILE: Duration = Duration::from_hours(24);
/// How young a document is too young to be fetched anew, whatever it lacks.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);
/// How long to wait after a failure before the next try.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

/// A published document.
pub struct Cached<T>(Arc<Shared<T>>);

struct Shared<T> {
    slot: Mutex<Slot<T>>,
    clock: Arc<dyn Clock>,
}

/// All times are monotonic, and of the end of a fetch.
struct Slot<T> {
    kept: Option<(Arc<T>, Duration)>,
    failed_at: Option<Duration>,
    /// Closes when the fetch that was last begun has ended, however it has.
    running: Option<watch::Receiver<()>>,
}

/// What a caller can do with.
struct Wanted {
    /// A document that is younger is given out as it is.
    max_age: Duration,
    /// A document that is younger is given out while a new one is fetched.
    max_age_meanwhile: Duration,
}

impl<T: Send + Sync + 'static> Cached<T> {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let slot = Mutex::new(Slot { kept: None, failed_at: None, running: None });
        Self(Arc::new(Shared { slot, clock }))
    }

    /// The document; an old one is better than none. `None` where there is none at all.
    pub async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = Option<T>> + Send + 'static,
    {
        self.obtain(Wanted { max_age: MAX_AGE, max_age_meanwhile: MAX_AGE_MEANWHILE }, fetch).await
    }

    /// The same for whoever has found the document wanting: waits for a new one.
    pub async fn renewed<F>(&self, fetch: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = Option<T>> + Send + 'static,
    {
        self.obtain(Wanted { max_age: RENEWAL_PAUSE, max_age_meanwhile: Duration::ZERO }, fetch).await
    }

    async fn obtain<F>(&self, wanted: Wanted, fetch: impl FnOnce() -> F) -> Option<Arc<T>>
    where
        F: Future<Output = Option<T>> + Send + 'static,
    {
        let mut ended = {
            let mut slot = self.0.slot.lock().await;
            let now = self.0.clock.monotonic();
            let running = slot.running.clone().filter(is_open);
            if slot.is_younger(wanted.max_age, now) || (running.is_none() && slot.has_just_failed(now)) {
                return slot.document();
            }
            let ended = running.unwrap_or_else(|| slot.begin(Arc::clone(&self.0), fetch()));
            if slot.is_younger(wanted.max_age_meanwhile, now) {
                return slot.document();
            }
            ended
        };
        while ended.changed().await.is_ok() {}
        self.0.slot.lock().await.document()
    }
}

/// Whether what it tells the end of still runs.
fn is_open(ended: &watch::Receiver<()>) -> bool {
    ended.has_changed().is_ok()
}

impl<T: Send + Sync + 'static> Slot<T> {
    fn document(&self) -> Option<Arc<T>> {
        self.kept.as_ref().map(|(document, _)| Arc::clone(document))
    }

    fn is_younger(&self, than: Duration, now: Duration) -> bool {
        self.kept.as_ref().is_some_and(|(_, at)| now.saturating_sub(*at) < than)
    }

    fn has_just_failed(&self, now: Duration) -> bool {
        self.failed_at.is_some_and(|at| now.saturating_sub(at) < FAILURE_PAUSE)
    }

    /// Fetches in a task of its own, which nobody's leaving ends; what is returned closes with it.
    fn begin<F>(&mut self, shared: Arc<Shared<T>>, fetch: F) -> watch::Receiver<()>
    where
        F: Future<Output = Option<T>> + Send + 'static,
    {
        let (open, ended) = watch::channel(());
        tokio::spawn(async move {
            let fetched = fetch.await;
            shared.slot.lock().await.put(fetched, shared.clock.monotonic());
            drop(open);
        });
        self.running = Some(ended.clone());
        ended
    }

    fn put(&mut self, fetched: Option<T>, now: Duration) {
        self.failed_at = fetched.is_none().then_some(now);
        if let Some(document) = fetched {
            self.kept = Some((Arc::new(document), now));
        }
    }
}

#[cfg(test)]
mod tests;
