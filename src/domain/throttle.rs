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
