//! Time and randomness, handed in so that tests hold both.

use std::time::Duration;

/// A moment of wall-clock time: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// From a NumericDate (RFC 7519, section 2).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Whole seconds since the epoch, rounded down: the NumericDate of RFC 7519, section 2.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whether it is of the years 1 to 9999: the others have no form in RFC 3339 and in `google.protobuf.Timestamp`.
    pub const fn has_a_date(self) -> bool {
        matches!(self.0, -62_135_596_800_000..=253_402_300_799_999)
    }

    /// The moment `span` later; the end of time if there is none.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(span)))
    }

    /// The moment `span` earlier; the beginning of time if there is none.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(span)))
    }

    /// The time that has passed since `earlier`; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }

    /// The distance between two moments, whichever comes first: what a stepped clock cannot turn negative.
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }
}

fn millis_of(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The source of time.
pub trait Clock: Send + Sync {
    /// Wall-clock time: may be stepped, differs a little between replicas.
    fn now(&self) -> Timestamp;

    /// Time since a fixed moment in this process: never goes backwards, and goes on while the machine sleeps, so that
    /// nothing is fresh after its sleep that was fresh before.
    fn monotonic(&self) -> Duration;
}

/// The source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_the_epoch() {
        let seconds = [1_999, 1_000, 999, 0, -1, -1_000, -1_001].map(|millis| Timestamp(millis).as_seconds());
        assert_eq!(seconds, [1, 1, 0, 0, -1, -1, -2]);
    }

    #[test]
    fn the_years_1_to_9999_alone_have_dates() {
        let last = 253_402_300_799_999;
        let have = [-62_135_596_800_001, -62_135_596_800_000, last, last + 1].map(|at| Timestamp(at).has_a_date());
        assert_eq!(have, [false, true, true, false]);
    }

    #[test]
    fn the_ends_of_time_hold() {
        assert_eq!(Timestamp(i64::MAX).after(SECOND), Timestamp(i64::MAX));
        assert_eq!(Timestamp(0).after(Duration::MAX), Timestamp(i64::MAX));
        assert_eq!(Timestamp(i64::MIN).before(SECOND), Timestamp(i64::MIN));
    }

    #[test]
    fn what_lies_ahead_has_not_passed() {
        assert_eq!(Timestamp(5_000).since(Timestamp(4_000)), SECOND);
        assert_eq!(Timestamp(4_000).since(Timestamp(5_000)), Duration::ZERO);
    }

    #[test]
    fn distance_has_no_direction_and_no_overflow() {
        assert_eq!(Timestamp(5_000).distance(Timestamp(4_000)), SECOND);
        assert_eq!(Timestamp(4_000).distance(Timestamp(5_000)), SECOND);
        assert_eq!(Timestamp(i64::MIN).distance(Timestamp(i64::MAX)), Duration::from_millis(u64::MAX));
    }
}
