//! The machine's clock and randomness: the one place that asks for them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};

use crate::domain::clock::{Clock, Entropy, Timestamp};

/// The machine's clock. The monotonic one goes on while the machine is suspended, on Linux; elsewhere it may stand still.
pub struct SystemClock {
    started: Start,
}

/// A moment from which the time counts.
#[cfg(target_os = "linux")]
struct Start(Duration);

#[cfg(not(target_os = "linux"))]
type Start = std::time::Instant;

#[cfg(target_os = "linux")]
impl Start {
    fn now() -> Self {
        Self(since_boot())
    }

    fn elapsed(&self) -> Duration {
        since_boot().saturating_sub(self.0)
    }
}

/// By CLOCK_BOOTTIME (clock_gettime(2)). `Instant` is CLOCK_MONOTONIC, which stands still in a suspended machine: the
/// revocations that were read before its sleep would be fresh after it.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    // The kernel tells no negative time.
    clock_gettime(ClockId::Boottime).try_into().unwrap_or_default()
}

impl SystemClock {
    #[cfg_attr(
        not(target_os = "linux"),
        expect(clippy::disallowed_methods, reason = "this is what the clock that is handed in is made of")
    )]
    pub fn start() -> Self {
        Self { started: Start::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is what the clock that is handed in is made of")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default().after(since_epoch)
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The random bytes of AWS-LC, seeded by the kernel.
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    /// Without randomness nothing that this service gives out would be a secret: the thread ends.
    #[expect(clippy::expect_used, reason = "AWS-LC aborts rather than fail, so that there is nothing to go on with")]
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("AWS-LC gives random bytes");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_clock_tells_this_century_and_goes_on() {
        let clock = SystemClock::start();
        let first = clock.monotonic();
        assert!(clock.now().as_seconds() > 1_700_000_000);
        assert!(clock.monotonic() >= first);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the machine's clock is what is tested")]
    fn the_monotonic_clock_goes_on_as_an_instant_does() {
        let clock = SystemClock::start();
        let (earliest, first) = (Instant::now(), clock.monotonic());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(20) {}
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

    #[test]
    fn two_draws_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        SystemEntropy::new().fill(&mut first);
        SystemEntropy::new().fill(&mut second);
        assert_ne!(first, second);
    }
}
