//! Moments and spans.

use std::time::Duration;

use super::violations::Violations;
use crate::domain::clock::Timestamp;

/// The first and the last second of a `google.protobuf.Timestamp`: of the years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS_PER_SECOND: u32 = 1_000_000_000;

pub fn timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let millis = moment.as_millis();
    let nanos = millis.rem_euclid(1_000) * 1_000_000;
    prost_types::Timestamp { seconds: millis.div_euclid(1_000), nanos: i32::try_from(nanos).unwrap_or_default() }
}

/// A bound that a caller names; `None` where there is none. What is finer than a millisecond counts as the next one:
/// what is stored lies on the same side of both.
pub fn moment(field: &str, told: Option<&prost_types::Timestamp>, violations: &mut Violations) -> Option<Timestamp> {
    let told = told?;
    let nanos = u32::try_from(told.nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND);
    let Some(nanos) = nanos.filter(|_| SECONDS.contains(&told.seconds)) else {
        violations.add(field, "must be a time of the years 1 to 9999");
        return None;
    };
    Some(Timestamp::from_millis(told.seconds * 1_000 + i64::from(nanos.div_ceil(1_000_000))))
}

pub fn duration(span: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    prost_types::Duration { seconds, nanos: span.subsec_nanos().cast_signed() }
}

/// A span that is well-formed (duration.proto) and not negative.
pub fn span(duration: &prost_types::Duration) -> Option<Duration> {
    const NANOS_PER_SECOND: u32 = 1_000_000_000;
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u32::try_from(duration.nanos).ok().filter(|nanos| *nanos < NANOS_PER_SECOND)?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_milliseconds_on_both_sides_of_the_epoch() {
        let of = |millis| {
            let told = timestamp(Timestamp::from_millis(millis));
            (told.seconds, told.nanos)
        };
        assert_eq!(of(1_500), (1, 500_000_000));
        assert_eq!(of(-1), (-1, 999_000_000));
    }

    #[test]
    fn a_bound_between_two_milliseconds_is_the_later_one() {
        let bound = |seconds, nanos| {
            let mut violations = Violations::default();
            let moment = moment("at", Some(&prost_types::Timestamp { seconds, nanos }), &mut violations);
            violations.finish(moment).ok().map(Timestamp::as_millis)
        };
        assert_eq!(bound(1, 500_000_000), Some(1_500));
        assert_eq!(bound(1, 500_000_001), Some(1_501));
        assert_eq!(bound(1, 999_999_999), Some(2_000));
        assert_eq!(bound(-1, 999_000_000), Some(-1));
        assert_eq!(bound(253_402_300_799, 0), Some(253_402_300_799_000));
        for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000)] {
            assert_eq!(bound(seconds, nanos), None, "{seconds} {nanos}");
        }
    }

    #[test]
    fn spans_keep_their_nanoseconds() {
        let told = duration(Duration::from_millis(1_250));
        assert_eq!((told.seconds, told.nanos), (1, 250_000_000));
    }
}
