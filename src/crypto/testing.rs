//! Randomness that repeats and a clock that stands still, for this room's tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::digest;

use crate::domain::clock::{Clock, Entropy, Timestamp};

/// Different bytes at each call, the same in each run.
#[derive(Default)]
pub struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&digest::digest(&digest::SHA256, &count).as_ref()[..chunk.len()]);
        }
    }
}

/// A clock at one moment.
#[derive(Default)]
pub struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}
