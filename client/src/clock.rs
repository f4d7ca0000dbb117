//! Where the time comes from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Where the time comes from. Tests hand in a clock of their own by [`Builder::clock`](crate::Builder::clock).
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, in milliseconds since the Unix epoch: `exp` and `nbf` are judged by it.
    fn now(&self) -> i64;

    /// The time since some fixed moment; never goes back, whatever the wall clock does. Staleness is judged by it.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the wall clock comes from")]
    fn now(&self) -> i64 {
        // A clock before 1970 judges every token as not yet valid.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
