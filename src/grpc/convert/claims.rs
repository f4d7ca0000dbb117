//! Verdicts on access tokens, on their way out.

use super::time;
use crate::grpc::claims::AccessTokenClaims;
use crate::grpc::pb::{self, TokenStatus};
use crate::service::token::verify::{Verdict, Verified};

pub fn verified(verified: Verified) -> pb::VerifyTokenResponse {
    let (status, claims) = verdict(verified.verdict);
    pb::VerifyTokenResponse {
        status: status.into(),
        claims,
        cacheable_for: Some(time::duration(verified.cacheable_for)),
        revocation_state_time: Some(time::timestamp(verified.revocation_state_at)),
    }
}

fn verdict(verdict: Verdict) -> (TokenStatus, Option<AccessTokenClaims>) {
    let status = match verdict {
        Verdict::Active(claims) => return (TokenStatus::Active, Some(AccessTokenClaims(claims))),
        Verdict::Expired => TokenStatus::Expired,
        Verdict::NotYetValid => TokenStatus::NotYetValid,
        Verdict::Revoked => TokenStatus::Revoked,
        Verdict::BadSignature => TokenStatus::BadSignature,
        Verdict::UnknownKey => TokenStatus::UnknownKey,
        Verdict::WrongAudience => TokenStatus::WrongAudience,
        Verdict::WrongIssuer => TokenStatus::WrongIssuer,
        Verdict::WrongType => TokenStatus::WrongType,
        Verdict::Malformed => TokenStatus::Malformed,
        Verdict::InsufficientRole => TokenStatus::InsufficientRole,
    };
    (status, None)
}
