//! A clock that stands still until it is told.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Clock;
use crate::clock::millis;

/// A clock that stands still until it is told.
#[derive(Debug)]
pub struct ManualClock {
    started_at: i64,
    passed: Mutex<Duration>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { started_at: 1_800_000_000_000, passed: Mutex::new(Duration::from_secs(1_000)) }
    }
}

impl ManualClock {
    /// Lets time pass on both clocks.
    pub fn advance(&self, span: Duration) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) += span;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> i64 {
        self.started_at + millis(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
