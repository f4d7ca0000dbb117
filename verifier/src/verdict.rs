//! What is expected of a token, and what it is worth.

use std::sync::Arc;

use crate::claims::Claims;

/// What is expected of a token beside its being good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// Must be in `aud`; `None` accepts every audience.
    pub audience: Option<String>,
    /// Must all be in `roles`.
    pub roles: Vec<String>,
}

/// What an access token is worth. Of several faults the one is told that comes first in this order: malformed, wrong
/// type, unknown key, bad signature, wrong issuer, expired, not yet valid, revoked, wrong audience, insufficient role.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good, and as expected.
    Active(Arc<Claims>),
    /// [`Refusal::Expired`]
    Expired,
    /// [`Refusal::NotYetValid`]
    NotYetValid,
    /// [`Refusal::Revoked`]
    Revoked,
    /// [`Refusal::BadSignature`]
    BadSignature,
    /// [`Refusal::UnknownKey`]
    UnknownKey,
    /// [`Refusal::WrongAudience`]
    WrongAudience,
    /// [`Refusal::WrongIssuer`]
    WrongIssuer,
    /// [`Refusal::WrongType`]
    WrongType,
    /// [`Refusal::Malformed`]
    Malformed,
    /// [`Refusal::InsufficientRole`]
    InsufficientRole,
}

/// What is wrong with a token; asking again changes nothing, [`Self::NotYetValid`] and [`Self::UnknownKey`] aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` lies in the future.
    NotYetValid,
    /// Its session, its user's epoch or its key is revoked.
    Revoked,
    /// Its key did not sign it, or `alg` is not its key's.
    BadSignature,
    /// `kid` names no key of the set.
    UnknownKey,
    /// The expected audience is not in `aud`.
    WrongAudience,
    /// Another issuer made it.
    WrongIssuer,
    /// A JWT whose `typ` is not `at+jwt`, or a Keystead token of another kind.
    WrongType,
    /// No access token of Keystead: size, encoding, header, claims or lifetime.
    Malformed,
    /// An expected role is not in `roles`.
    InsufficientRole,
}

impl Verdict {
    /// The claims of a good token, or what is wrong with it.
    pub fn into_result(self) -> Result<Arc<Claims>, Refusal> {
        Err(match self {
            Self::Active(claims) => return Ok(claims),
            Self::Expired => Refusal::Expired,
            Self::NotYetValid => Refusal::NotYetValid,
            Self::Revoked => Refusal::Revoked,
            Self::BadSignature => Refusal::BadSignature,
            Self::UnknownKey => Refusal::UnknownKey,
            Self::WrongAudience => Refusal::WrongAudience,
            Self::WrongIssuer => Refusal::WrongIssuer,
            Self::WrongType => Refusal::WrongType,
            Self::Malformed => Refusal::Malformed,
            Self::InsufficientRole => Refusal::InsufficientRole,
        })
    }
}
