//! Where the time comes from.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};

/// Where the time comes from. Tests hand in a clock of their own by [`Builder::clock`](crate::Builder::clock).
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, in milliseconds since the Unix epoch: `exp` and `nbf` are judged by it.
    fn now(&self) -> i64;

    /// The time since some fixed moment; never goes back, whatever the wall clock does. Staleness is judged by it: it has
    /// to go on while the machine sleeps.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks. The monotonic one goes on while the machine is suspended, on Linux; elsewhere it may stand still.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Start,
}

/// A moment from which the time counts.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
struct Start(Duration);

#[cfg(not(target_os = "linux"))]
type Start = tokio::time::Instant;

#[cfg(target_os = "linux")]
impl Start {
    fn now() -> Self {
        Self(since_boot())
    }

    fn elapsed(self) -> Duration {
        since_boot().saturating_sub(self.0)
    }
}

/// By CLOCK_BOOTTIME (clock_gettime(2)). `Instant` is CLOCK_MONOTONIC, which stands still in a suspended machine: what
/// was known before its sleep would be fresh after it.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    // The kernel tells no negative time.
    clock_gettime(ClockId::Boottime).try_into().unwrap_or_default()
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: Start::now() }
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the machine's clock is what is tested")]
    fn the_monotonic_clock_never_goes_back_and_goes_on_as_an_instant_does() {
        let clock = SystemClock::default();
        let (earliest, first) = (Instant::now(), clock.monotonic());
        let begun = Instant::now();
        let mut before = first;
        while begun.elapsed() < Duration::from_millis(20) {
            let now = clock.monotonic();
            assert!(now >= before);
            before = now;
        }
        let at_least = begun.elapsed();
        let passed = clock.monotonic().saturating_sub(first);
        let tick = Duration::from_millis(1);
        assert!(passed + tick >= at_least, "{passed:?}");
        assert!(passed <= earliest.elapsed() + tick, "{passed:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_sleep_of_the_machine_counts() {
        // proc_uptime(5): the time since the boot, suspension included.
        let told = std::fs::read_to_string("/proc/uptime").unwrap();
        let told = Duration::from_secs_f64(told.split(' ').next().unwrap().parse().unwrap());
        assert!(since_boot().abs_diff(told) < Duration::from_secs(5));
    }
}
