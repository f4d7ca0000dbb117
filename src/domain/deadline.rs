//! Until when somebody waits for an answer.

use std::time::Duration;

/// A moment of monotonic time ([`Clock::monotonic`](super::clock::Clock::monotonic)) after which nobody waits any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Duration);

impl Deadline {
    /// For what waits as long as it takes: the console, a background loop.
    pub const NEVER: Self = Self(Duration::MAX);

    /// `span` after the monotonic time `now`.
    pub const fn after(now: Duration, span: Duration) -> Self {
        Self(now.saturating_add(span))
    }

    /// The time left at the monotonic time `now`; nothing once it has passed.
    pub const fn time_left(self, now: Duration) -> Duration {
        self.0.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_runs_out_and_not_below_nothing() {
        let deadline = Deadline::after(SECOND * 5, SECOND * 2);
        let left = [SECOND * 5, SECOND * 6, SECOND * 7, SECOND * 8].map(|now| deadline.time_left(now));
        assert_eq!(left, [SECOND * 2, SECOND, Duration::ZERO, Duration::ZERO]);
    }

    #[test]
    fn what_never_ends_does_not_overflow() {
        assert!(Deadline::NEVER.time_left(SECOND) > Duration::from_hours(1_000_000));
        assert_eq!(Deadline::after(SECOND, Duration::MAX), Deadline::NEVER);
    }
}
