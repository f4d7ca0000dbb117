//! When to leave Redis alone. A pure state machine: the time is handed in.

use std::time::Duration;

/// Failures in a row after which Redis is left alone.
const THRESHOLD: u32 = 5;

/// How long it is left alone before one probe goes out, and again after each probe that brought nothing.
const COOL_DOWN: Duration = Duration::from_secs(1);

/// Whether to ask Redis.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Ask,
    /// Leave it alone, but let somebody who is in no hurry probe it.
    Probe,
    LeaveAlone,
}

/// What an outcome changed: told in the log, once.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    None,
    Opened,
    Closed,
}

/// Closed while it counts failures; open while it waits for the next probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaker {
    Closed { failures: u32 },
    Open { next_probe: Duration },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Times are those of a monotonic clock.
    pub fn admit(&mut self, now: Duration) -> Admission {
        match self {
            Self::Closed { .. } => Admission::Ask,
            Self::Open { next_probe } if *next_probe <= now => {
                // Set before the probe is back, so that one that never returns is followed by another.
                *next_probe = now.saturating_add(COOL_DOWN);
                Admission::Probe
            }
            Self::Open { .. } => Admission::LeaveAlone,
        }
    }

    pub fn succeed(&mut self) -> Change {
        let change = if self.is_open() { Change::Closed } else { Change::None };
        *self = Self::default();
        change
    }

    pub fn fail(&mut self, now: Duration) -> Change {
        match self {
            Self::Closed { failures } if *failures + 1 < THRESHOLD => {
                *failures += 1;
                Change::None
            }
            Self::Closed { .. } => {
                *self = Self::Open { next_probe: now.saturating_add(COOL_DOWN) };
                Change::Opened
            }
            Self::Open { .. } => Change::None,
        }
    }

    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Duration = Duration::from_secs(100);

    fn open_at(now: Duration) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 1..THRESHOLD {
            assert_eq!(breaker.fail(now), Change::None);
        }
        assert_eq!(breaker.fail(now), Change::Opened);
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..THRESHOLD {
                assert_eq!(breaker.fail(T0), Change::None);
            }
            assert_eq!(breaker.admit(T0), Admission::Ask);
            assert_eq!(breaker.succeed(), Change::None);
        }
    }

    #[test]
    fn once_open_nobody_asks_and_one_a_second_probes() {
        let mut breaker = open_at(T0);
        assert_eq!(breaker.admit(T0), Admission::LeaveAlone);
        for second in 1..4 {
            let now = T0 + COOL_DOWN * second;
            assert_eq!(breaker.admit(now), Admission::Probe);
            assert_eq!(breaker.admit(now), Admission::LeaveAlone);
            assert_eq!(breaker.fail(now), Change::None);
        }
    }

    #[test]
    fn one_success_closes_it_and_the_count_starts_anew() {
        let mut breaker = open_at(T0);
        assert_eq!(breaker.succeed(), Change::Closed);
        assert_eq!(breaker.succeed(), Change::None);
        assert_eq!(breaker, Breaker::default());
        assert_eq!(breaker.admit(T0), Admission::Ask);
    }

    #[test]
    fn requests_that_fail_after_it_opened_do_not_put_the_probe_off() {
        let mut breaker = open_at(T0);
        assert_eq!(breaker.fail(T0 + COOL_DOWN / 2), Change::None);
        assert_eq!(breaker.admit(T0 + COOL_DOWN), Admission::Probe);
    }
}
