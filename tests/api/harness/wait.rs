//! Waiting for a condition, never for a span.

use std::future::Future;
use std::time::Duration;

use crate::support::stopwatch::Stopwatch;

/// How late a revocation may be on another replica and in a client (promise T8).
pub const PROMISED: Duration = Duration::from_millis(1_500);

/// How long a condition may take that holds in a moment on an idle machine.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again until there is an answer; fails the test, with what was waited for, when patience ends.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asked = async {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    patiently(what, asked).await
}

/// Asks again until the condition holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    eventually(what, || {
        let holds = holds();
        async move { holds.await.then_some(()) }
    })
    .await;
}

/// Waits for an end, and fails the test if that was waited for longer than is promised.
pub async fn within<T>(promised: Duration, what: &str, end: impl Future<Output = T>) -> T {
    let watch = Stopwatch::start();
    let end = patiently(what, end).await;
    let waited = watch.waited();
    assert!(waited <= promised, "{what} was waited for {waited:?}; {promised:?} are promised");
    end
}

/// Waits for an end, and fails the test, with what was waited for, when patience ends.
pub async fn patiently<T>(what: &str, end: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, end).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
