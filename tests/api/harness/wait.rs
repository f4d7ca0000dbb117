//! Waiting for a condition, never for a span.

use std::future::Future;
use std::time::Duration;

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
