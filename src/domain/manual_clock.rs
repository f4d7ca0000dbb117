//! Time and randomness that somebody else moves: for tests and simulations.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::clock::{Clock, Entropy, Timestamp};

/// A clock that stands still until it is moved; for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    wall_millis: AtomicI64,
    monotonic_nanos: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now`, at the start of its monotonic time.
    pub const fn new(now: Timestamp) -> Self {
        Self { wall_millis: AtomicI64::new(now.as_millis()), monotonic_nanos: AtomicU64::new(0) }
    }

    /// Lets both times pass by `span`.
    pub fn advance(&self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.monotonic_nanos.fetch_add(nanos, Ordering::SeqCst);
        self.step_to(self.now().after(span));
    }

    /// Steps the wall-clock time, forwards or backwards, as an operator or NTP does; monotonic time does not notice.
    pub fn step_to(&self, now: Timestamp) {
        self.wall_millis.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall_millis.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.monotonic_nanos.load(Ordering::SeqCst))
    }
}

/// Bytes that are counted, not random: every eight of them differ from all before. Predictable, so for tests and
/// simulations alone.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU64);

impl CountingEntropy {
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1).to_be_bytes();
            let skipped = number.len() - chunk.len();
            chunk.copy_from_slice(&number[skipped..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_moves_the_wall_clock_alone() {
        let clock = ManualClock::new(Timestamp::from_millis(5_000));
        clock.advance(Duration::from_secs(2));
        clock.step_to(Timestamp::from_millis(1));
        assert_eq!(clock.now(), Timestamp::from_millis(1));
        assert_eq!(clock.monotonic(), Duration::from_secs(2));
    }

    #[test]
    fn counted_bytes_never_repeat() {
        let entropy = CountingEntropy::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_000 {
            let mut bytes = [0; 10];
            entropy.fill(&mut bytes);
            assert!(seen.insert(bytes));
        }
    }
}
