//! Moments and spans.

use std::time::Duration;

use crate::domain::clock::Timestamp;

pub fn timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let millis = moment.as_millis();
    let nanos = millis.rem_euclid(1_000) * 1_000_000;
    prost_types::Timestamp { seconds: millis.div_euclid(1_000), nanos: i32::try_from(nanos).unwrap_or_default() }
}

/// From a NumericDate (RFC 7519, section 2).
pub fn seconds(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

pub fn duration(span: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    prost_types::Duration { seconds, nanos: span.subsec_nanos().cast_signed() }
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
    fn spans_keep_their_nanoseconds() {
        let told = duration(Duration::from_millis(1_250));
        assert_eq!((told.seconds, told.nanos), (1, 250_000_000));
    }
}
