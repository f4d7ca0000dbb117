//! The generic cell rate algorithm (ITU-T I.371, annex A), and what is counted with it.

use std::time::Duration;

use super::clock::Timestamp;

/// A rate: `burst` at once, then one per `period`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub burst: u32,
    pub period: Duration,
}

/// One thing that is counted: a key, made by an HMAC where it speaks of a person, and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub key: String,
    pub limit: Limit,
}

/// Whether an attempt may go on.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThrottleVerdict {
    /// The attempt is counted in every bucket.
    Allowed,
    /// The attempt is counted nowhere.
    Limited {
        /// The key of the bucket that waits longest.
        key: String,
        retry_after: Duration,
    },
}

/// The keys under which failures in a row and known sources are kept in SQL: HMACs, so that the table names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptKeys {
    /// Of the canonical address, whether or not an account has it.
    pub account: [u8; 32],
    /// Of the canonical address and the source's network together.
    pub source: [u8; 32],
}

/// What the record of failures says of an attempt that has just been counted.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Failures in a row, this attempt included.
    pub in_a_row: u32,
    /// Whether the account has been signed in to from this source before.
    pub known_source: bool,
}

/// The theoretical arrival time that one bucket keeps, and the verdict that follows from it.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The attempt conforms; the bucket keeps this time.
    Conforms(Timestamp),
    /// The attempt comes too early by this much; the bucket stays as it is.
    TooEarly(Duration),
}

/// Judges an attempt at `now` against a bucket whose theoretical arrival time is `expected`, or that is new.
pub fn judge(limit: Limit, expected: Option<Timestamp>, now: Timestamp) -> Arrival {
    let expected = expected.unwrap_or(now).max(now);
    let next = expected.after(limit.period);
    let tolerance = limit.period.saturating_mul(limit.burst);
    let earliest = next.before(tolerance);
    if now < earliest { Arrival::TooEarly(earliest.since(now)) } else { Arrival::Conforms(next) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Limit = Limit { burst: 3, period: Duration::from_secs(10) };

    /// How many of the attempts at these milliseconds one bucket allows.
    fn allowed(limit: Limit, attempts: &[i64]) -> u32 {
        let mut expected = None;
        let mut count = 0;
        for at in attempts {
            if let Arrival::Conforms(arrival) = judge(limit, expected, Timestamp::from_millis(*at)) {
                expected = Some(arrival);
                count += 1;
            }
        }
        count
    }

    #[test]
    fn the_burst_passes_at_once_and_no_more() {
        assert_eq!(allowed(LIMIT, &[0; 20]), 3);
    }

    #[test]
    fn one_a_period_comes_back_after_a_burst() {
        assert_eq!(allowed(LIMIT, &[0, 0, 0, 9_999]), 3);
        assert_eq!(allowed(LIMIT, &[0, 0, 0, 10_000, 10_000]), 4);
        assert_eq!(allowed(LIMIT, &[0, 0, 0, 30_000, 30_000, 30_000, 30_000]), 6);
    }

    #[test]
    fn a_refusal_says_exactly_how_long_to_wait() {
        let full = Timestamp::from_millis(30_000);
        let now = Timestamp::from_millis(4_000);
        let Arrival::TooEarly(wait) = judge(LIMIT, Some(full), now) else { panic!("a full bucket let one pass") };
        assert_eq!(wait, Duration::from_secs(6));
        assert!(matches!(judge(LIMIT, Some(full), now.after(wait)), Arrival::Conforms(_)));
    }

    #[test]
    fn a_limit_without_burst_allows_nothing() {
        assert_eq!(allowed(Limit { burst: 0, ..LIMIT }, &[0, 100_000, 200_000]), 0);
    }

    #[test]
    fn a_clock_stepped_back_lifts_no_limit() {
        assert_eq!(allowed(LIMIT, &[1_000_000, 1_000_000, 1_000_000, 0, 0, 500_000]), 3);
    }

    #[test]
    fn absurd_limits_do_not_overflow() {
        let absurd = Limit { burst: u32::MAX, period: Duration::MAX };
        assert_eq!(allowed(absurd, &[0]), 1);
    }

    proptest! {
        #[test]
        fn no_order_of_attempts_beats_the_rate(steps in prop::collection::vec(0_i64..5_000, 1..200)) {
            let times: Vec<i64> = steps.iter().scan(0, |now, step| { *now += step; Some(*now) }).collect();
            let span: i64 = times.last().unwrap() - times[0];
            let most = LIMIT.burst + u32::try_from(span / 10_000).unwrap();
            prop_assert!(allowed(LIMIT, &times) <= most);
        }
    }
}
