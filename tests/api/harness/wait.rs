//! Waiting for a condition, never for a span.

use std::future::Future;
use std::time::{Duration, Instant};

/// How late a revocation may be on another replica and in a client (promise T8).
pub const PROMISED: Duration = Duration::from_millis(1_500);

/// How long a condition may take that holds in a moment on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

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
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Asks again until the condition holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    eventually(what, || {
        let holds = holds();
        async move { holds.await.then_some(()) }
    })
    .await;
}

/// Asks again until the condition holds, and fails the test if that took longer than is promised.
pub async fn within<F: Future<Output = bool>>(promised: Duration, what: &str, holds: impl FnMut() -> F) {
    let begun = now();
    until(what, holds).await;
    let late = begun.elapsed();
    assert!(late <= promised, "{what} took {late:?}; {promised:?} are promised");
}

#[expect(clippy::disallowed_methods, reason = "the promise is a span of real time")]
fn now() -> Instant {
    Instant::now()
}
