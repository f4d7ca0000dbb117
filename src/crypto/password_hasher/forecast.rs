//! How long a password will wait: what the passwords before it have taught.

use std::time::Duration;

/// What a hash of [`REFERENCE_WORK`] is taken to last before the first one has been measured.
const FIRST_GUESS: Duration = Duration::from_millis(20);
/// KiB times passes of the cheapest hash that is allowed.
const REFERENCE_WORK: u32 = 19_456 * 2;

/// A running estimate of how long a hash lasts, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub struct Forecast {
    /// A moving average that forgets an eighth at each hash.
    average: Duration,
}

impl Forecast {
    /// A first guess from what a hash costs.
    pub fn guess(memory_kib: u32, passes: u32) -> Self {
        let work = u64::from(memory_kib) * u64::from(passes);
        let times = u32::try_from(work.div_ceil(u64::from(REFERENCE_WORK))).unwrap_or(u32::MAX);
        Self { average: FIRST_GUESS.saturating_mul(times) }
    }

    /// Takes in how long a hash has lasted.
    pub fn learn(&mut self, lasted: Duration) {
        self.average = (self.average * 7 + lasted) / 8;
    }

    /// Whether a password with so many ahead of it will be done in the time that is left. A quarter is added to the
    /// estimate, or those at the edge would be hashed and half of them come too late. With none ahead it may always
    /// try: it delays nobody, and an estimate that has become too high is mended only by hashing.
    pub fn is_in_time(self, ahead: usize, threads: usize, time_left: Duration) -> bool {
        let done = self.rounds(ahead / threads + 1);
        ahead == 0 || done.saturating_add(done / 4) <= time_left
    }

    /// How long so many passwords will take, in whole milliseconds, one at least.
    pub fn time_to_drain(self, ahead: usize, threads: usize) -> Duration {
        let micros = self.rounds(ahead.div_ceil(threads)).as_micros();
        Duration::from_millis(u64::try_from(micros.div_ceil(1_000)).unwrap_or(u64::MAX).max(1))
    }

    fn rounds(self, count: usize) -> Duration {
        self.average.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// An estimate of 40 ms.
    fn forecast() -> Forecast {
        Forecast { average: MS * 40 }
    }

    // promise P5
    #[test]
    fn the_first_guess_follows_the_cost() {
        assert_eq!(Forecast::guess(19_456, 2).average, MS * 20);
        assert_eq!(Forecast::guess(47_104, 2).average, MS * 60);
        assert_eq!(Forecast::guess(u32::MAX, u32::MAX).average, FIRST_GUESS * u32::MAX);
    }

    // promise P5
    #[test]
    fn the_estimate_comes_close_to_what_is_measured() {
        let mut forecast = forecast();
        forecast.learn(MS * 80);
        assert_eq!(forecast.average, MS * 45);
        (0..50).for_each(|_| forecast.learn(MS * 80));
        assert!(forecast.average > MS * 79 && forecast.average <= MS * 80, "{forecast:?}");
    }

    // promise P5
    #[test]
    fn whoever_cannot_be_done_in_time_is_told_so() {
        // One ahead on two threads: the first round, 50 ms with what is added. Two ahead: the second.
        for (ahead, needed) in [(1, 50), (2, 100), (3, 100), (4, 150), (100, 2_550)] {
            assert!(forecast().is_in_time(ahead, 2, MS * needed), "{ahead}");
            assert!(!forecast().is_in_time(ahead, 2, (MS * needed).mul_f64(0.999)), "{ahead}");
        }
    }

    // promise P5
    #[test]
    fn an_estimate_that_is_far_too_high_locks_nobody_out_for_good() {
        let mut forecast = Forecast { average: Duration::from_hours(1) };
        assert!(!forecast.is_in_time(1, 2, MS * 1_000));
        for _ in 0..100 {
            assert!(forecast.is_in_time(0, 2, MS * 1_000));
            forecast.learn(MS * 40);
        }
        assert!(forecast.is_in_time(1, 2, MS * 1_000));
    }
}
