//! What a request has to show, and the claims that a handler finds.

use std::sync::Arc;

use http::{Extensions, HeaderMap, header};
use keystead_verifier::{Claims, Expectations};
use tonic::Status;

use crate::outcome::Outcome;
use crate::rejection::Rejection;

/// What a request has to show.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) expectations: Expectations,
}

impl Guard {
    pub(crate) const fn new(expectations: Expectations) -> Self {
        Self { expectations }
    }

    pub(crate) fn require_role(mut self, role: impl Into<String>) -> Self {
        self.expectations.roles.push(role.into());
        self
    }

    pub(crate) fn audience(mut self, audience: impl Into<String>) -> Self {
        self.expectations.audience = Some(audience.into());
        self
    }
}

/// Puts the claims where handlers find them, or says what is wrong.
pub(crate) fn admit(outcome: Outcome, extensions: &mut Extensions) -> Result<(), Rejection> {
    match outcome {
        Outcome::Active(claims) => {
            extensions.insert(claims);
            Ok(())
        }
        Outcome::Refused(refusal) => Err(Rejection::of_refusal(refusal)),
        Outcome::Unknown(ignorance) => Err(Rejection::of_ignorance(ignorance)),
    }
}

/// The token of the one `authorization` header (RFC 6750, section 2.1); `None` where there is none, more than one, or
/// one of another scheme.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

/// What handlers ask of a request that has passed [`KeysteadClient::layer`](crate::KeysteadClient::layer) or
/// [`KeysteadClient::interceptor`](crate::KeysteadClient::interceptor). Each fails as the service itself does:
/// UNAUTHENTICATED `BEARER_REQUIRED`, PERMISSION_DENIED `ROLE_REQUIRED`.
pub trait ClaimsExt {
    /// Who calls, by the verified token.
    fn claims(&self) -> Result<&Claims, Status>;

    /// The same, of a caller who has the role.
    fn require_role(&self, role: &str) -> Result<&Claims, Status> {
        let claims = self.claims()?;
        if claims.roles.iter().any(|held| held == role) { Ok(claims) } else { Err(Rejection::Role.status("")) }
    }

    /// The same, of a caller whose token is meant for this audience too.
    fn require_audience(&self, audience: &str) -> Result<&Claims, Status> {
        let claims = self.claims()?;
        if claims.aud.iter().any(|held| held == audience) { Ok(claims) } else { Err(Rejection::Token.status(audience)) }
    }
}

impl<T> ClaimsExt for tonic::Request<T> {
    fn claims(&self) -> Result<&Claims, Status> {
        self.extensions().get::<Arc<Claims>>().map(|claims| &**claims).ok_or_else(|| Rejection::NoToken.status(""))
    }
}

impl<T> ClaimsExt for http::Request<T> {
    fn claims(&self) -> Result<&Claims, Status> {
        self.extensions().get::<Arc<Claims>>().map(|claims| &**claims).ok_or_else(|| Rejection::NoToken.status(""))
    }
}
