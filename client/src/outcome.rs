//! What the client says of a token.

use std::sync::Arc;

use keystead_verifier::{Claims, Verdict};

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

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// Its session, its user's epoch or its key is revoked.
    Revoked,
    /// Its key did not sign it.
    BadSignature,
    /// No key of the service has its `kid`.
    UnknownKey,
    /// The expected audience is not in `aud`.
    WrongAudience,
    /// Another issuer made it.
    WrongIssuer,
    /// Not an access token.
    WrongType,
    /// Not an access token of Keystead.
    Malformed,
    /// A role that is asked for is not in `roles`.
    InsufficientRole,
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
        Self::Refused(match verdict {
            Verdict::Active(claims) => return Self::Active(claims),
            Verdict::Expired => Refusal::Expired,
            Verdict::NotYetValid => Refusal::NotYetValid,
            Verdict::Revoked => Refusal::Revoked,
            Verdict::BadSignature => Refusal::BadSignature,
            Verdict::UnknownKey => Refusal::UnknownKey,
            Verdict::WrongAudience => Refusal::WrongAudience,
            Verdict::WrongIssuer => Refusal::WrongIssuer,
            Verdict::WrongType => Refusal::WrongType,
            Verdict::Malformed => Refusal::Malformed,
            Verdict::InsufficientRole => Refusal::InsufficientRole,
        })
    }
}
