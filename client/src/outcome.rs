//! What the client says of a token.

use std::sync::Arc;

use keystead_verifier::{Claims, Refusal, Verdict};

/// What the client says of a token.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Good, and as expected.
    Active(Arc<Claims>),
    /// No good; asking again changes nothing, [`Refusal::NotYetValid`] and [`Refusal::UnknownKey`] aside.
    Refused(Refusal),
    /// The client cannot know: neither let the caller in nor call the token bad.
    Unknown(Ignorance),
}

/// Why the client cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignorance {
    /// The feed of revocations is older than the limit.
    StaleFeed,
    /// The service's keys have not been fetched yet.
    NoKeys,
    /// The service was to be asked, and gave no verdict.
    NoAnswer,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        verdict.into_result().map_or_else(Self::Refused, Self::Active)
    }
}
