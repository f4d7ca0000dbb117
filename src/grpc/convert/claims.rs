//! Verdicts on access tokens, on their way out.

use super::time;
use crate::grpc::pb::{self, TokenStatus};
use crate::service::token::verify::{Claims, Verdict, Verified};

pub fn verified(verified: Verified) -> pb::VerifyTokenResponse {
    let (status, claims) = verdict(verified.verdict);
    pb::VerifyTokenResponse {
        status: status.into(),
        claims,
        cacheable_for: Some(time::duration(verified.cacheable_for)),
        revocation_state_time: Some(time::timestamp(verified.revocation_state_at)),
    }
}

fn verdict(verdict: Verdict) -> (TokenStatus, Option<pb::AccessTokenClaims>) {
    let status = match verdict {
        Verdict::Active(active) => return (TokenStatus::Active, Some(claims(&active))),
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

fn claims(claims: &Claims) -> pb::AccessTokenClaims {
    pb::AccessTokenClaims {
        issuer: claims.iss.clone(),
        subject: claims.sub.to_string(),
        audiences: claims.aud.clone(),
        client_id: claims.client_id.clone(),
        expire_time: Some(time::seconds(claims.exp)),
        issue_time: Some(time::seconds(claims.iat)),
        not_before_time: Some(time::seconds(claims.nbf)),
        token_id: claims.jti.to_string(),
        session_id: claims.sid.to_string(),
        epoch: claims.epoch,
        authentication_time: Some(time::seconds(claims.auth_time)),
        authentication_methods: claims.amr.clone(),
        roles: claims.roles.clone(),
        scopes: claims.scope.clone(),
    }
}
