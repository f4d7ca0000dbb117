//! The machine's clock and randomness: the one place that asks for them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

use crate::domain::clock::{Clock, Entropy, Timestamp};

/// The machine's clock.
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is what the clock that is handed in is made of")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
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
    use super::*;

    #[test]
    fn the_clock_tells_this_century_and_goes_on() {
        let clock = SystemClock::start();
        let first = clock.monotonic();
        assert!(clock.now().as_seconds() > 1_700_000_000);
        assert!(clock.monotonic() >= first);
    }

    #[test]
    fn two_draws_differ() {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        SystemEntropy::new().fill(&mut first);
        SystemEntropy::new().fill(&mut second);
        assert_ne!(first, second);
    }
}
