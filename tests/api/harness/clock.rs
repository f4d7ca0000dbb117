//! A clock that runs as the machine's does, and that a test can put forward or step.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use keystead::domain::clock::{Clock, Timestamp};

/// Real time plus what the test has added. Replicas of one test share it.
pub struct TestClock {
    started: Instant,
    started_at: Duration,
    ahead: Mutex<Duration>,
    /// By how many milliseconds the wall clock was stepped.
    stepped: Mutex<i64>,
}

#[expect(clippy::disallowed_methods, reason = "this is where the tests' time comes from")]
impl Default for TestClock {
    fn default() -> Self {
        let started_at = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
        Self { started: Instant::now(), started_at, ahead: Mutex::default(), stepped: Mutex::default() }
    }
}

impl TestClock {
    /// Puts the clock forward, for every replica at once.
    pub fn advance(&self, span: Duration) {
        *self.ahead.lock().expect("no poison") += span;
    }

    /// Steps the wall clock alone, as a correction by NTP does; no time passes by that.
    pub fn step(&self, millis: i64) {
        *self.stepped.lock().expect("no poison") += millis;
    }

    /// What it shows, in whole seconds since the Unix epoch.
    pub fn unix_seconds(&self) -> u64 {
        self.now().as_seconds().unsigned_abs()
    }

    fn passed(&self) -> Duration {
        self.started.elapsed() + *self.ahead.lock().expect("no poison")
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let unstepped = i64::try_from((self.started_at + self.passed()).as_millis()).expect("a near future");
        Timestamp::from_millis(unstepped + *self.stepped.lock().expect("no poison"))
    }

    fn monotonic(&self) -> Duration {
        self.passed()
    }
}
