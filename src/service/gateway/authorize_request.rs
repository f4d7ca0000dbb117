//! Decides whether a gateway may let a request pass.

use std::sync::Arc;

use keystead_verifier::{Claims, Refusal};

use super::route::{Route, RouteFault};
use super::words;
use crate::service::error::ServiceResult;
use crate::service::token::verify::{VerifyRequest, VerifyToken};

/// Decides whether a gateway may let a request pass.
pub struct AuthorizeRequest {
    pub verify_token: Arc<VerifyToken>,
}

/// The decision.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The request passes, and nobody was asked who they are.
    PassUnknown,
    /// The request passes, and this is its caller.
    Pass(Caller),
    Deny(Denial),
}

/// Who calls, as the service behind the gateway is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub claims: Arc<Claims>,
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// It shows no bearer.
    BearerMissing,
    /// Its bearer is not good, or not meant for the route's audience.
    BearerRefused,
    /// Its caller lacks a role that the route asks for.
    RoleMissing,
    /// Nobody can say: the service does not know what has been revoked.
    Unknown,
    /// The gateway's configuration cannot be what was meant.
    RouteAtFault,
}

impl AuthorizeRequest {
    /// Judges the `authorization` of a request, by the same code as VerifyToken.
    pub fn run(&self, authorization: Option<&str>, route: Result<Route, RouteFault>) -> Decision {
        let expectations = match route {
            Ok(Route::Public) => return Decision::PassUnknown,
            Ok(Route::Bearer(expectations)) => expectations,
            Err(fault) => {
                tracing::warn!(%fault, "a gateway's request was denied");
                return Decision::Deny(Denial::RouteAtFault);
            }
        };
        let Some(bearer) = authorization.and_then(words::bearer) else {
            return Decision::Deny(Denial::BearerMissing);
        };
        self.judge(&VerifyRequest { access_token: bearer.to_owned(), expectations }).unwrap_or_else(|error| {
            tracing::debug!(%error, "a gateway's request could not be judged");
            Decision::Deny(Denial::Unknown)
        })
    }

    fn judge(&self, request: &VerifyRequest) -> ServiceResult<Decision> {
        Ok(match self.verify_token.run(request)?.verdict.into_result() {
            Ok(claims) => Decision::Pass(Caller { claims }),
            Err(Refusal::InsufficientRole) => Decision::Deny(Denial::RoleMissing),
            Err(_) => Decision::Deny(Denial::BearerRefused),
        })
    }
}

impl Caller {
    /// The identity headers with their values; one without a value is not to be there at all.
    pub fn headers(&self) -> [(&'static str, String); 3] {
        let Claims { sub, sid, roles, .. } = &*self.claims;
        [(words::SUBJECT, sub.to_string()), (words::SESSION, sid.to_string()), (words::ROLES, roles.join(","))]
    }
}

impl Denial {
    /// The challenge of the answer, where a bearer would help.
    pub const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::BearerMissing => Some(words::ASK_FOR_BEARER),
            Self::BearerRefused => Some(words::INVALID_TOKEN),
            Self::RoleMissing => Some(words::INSUFFICIENT_SCOPE),
            Self::Unknown | Self::RouteAtFault => None,
        }
    }
}

#[cfg(test)]
mod tests;
