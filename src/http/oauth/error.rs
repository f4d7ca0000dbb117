//! Errors as OAuth's clients read them (RFC 6749, section 5.2): a code, and a fixed text without any input.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::answer;
use crate::http::access_log::ErrorCode;
use crate::service::error::ServiceError;
use crate::service::gateway::words;

/// How a client may authenticate; every 401 of a client says so (RFC 9110, section 15.5.2).
const BASIC: &str = "Basic realm=\"keystead\", charset=\"UTF-8\"";
/// When to send a request again that met a concurrent change.
const SOON: Duration = Duration::from_secs(1);

/// An error of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OAuthError {
    pub status: StatusCode,
    code: &'static str,
    description: &'static str,
    challenge: Option<&'static str>,
    pub retry_after: Option<Duration>,
}

impl OAuthError {
    const fn new(status: StatusCode, code: &'static str, description: &'static str) -> Self {
        Self { status, code, description, challenge: None, retry_after: None }
    }

    /// The request cannot be read.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::unreadable(StatusCode::BAD_REQUEST, description)
    }

    /// The same, with a status that says it more closely.
    pub const fn unreadable(status: StatusCode, description: &'static str) -> Self {
        Self::new(status, "invalid_request", description)
    }

    /// The client is unknown, did not prove itself, or proved something else.
    pub const fn invalid_client(description: &'static str) -> Self {
        Self { challenge: Some(BASIC), ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    pub const fn unsupported_grant_type() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "the grant types are refresh_token and client_credentials",
        )
    }

    /// There are no scopes.
    pub const fn invalid_scope() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", "no scope is known here; roles say what a token may do")
    }

    /// The audience is not one that the token can have (RFC 8707, section 2).
    pub const fn invalid_target(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_target", description)
    }

    /// Nobody can say at the moment. The code is the one that RFC 6749, section 4.1.2.1 has for it.
    pub const fn unavailable(retry_after: Duration) -> Self {
        let code = "temporarily_unavailable";
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "the service cannot answer at the moment");
        Self { retry_after: Some(retry_after), ..error }
    }

    const fn too_many(retry_after: Duration) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "too many attempts");
        Self { retry_after: Some(retry_after), ..error }
    }

    pub const fn server_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the service is at fault")
    }
}

impl From<ServiceError> for OAuthError {
    /// One row each. The last ones are of use cases that no endpoint runs.
    fn from(error: ServiceError) -> Self {
        use ServiceError as E;
        match error {
            E::InvalidToken => Self::new(StatusCode::BAD_REQUEST, "invalid_grant", "the token is not valid"),
            E::MfaRequired => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                "a role of the account asks for a second factor; sign in with one",
            ),
            E::InvalidCredentials => Self::invalid_client("id and secret do not match a client"),
            E::InvalidFields(_) => Self::invalid_target("the client may not have tokens for this audience"),
            E::RateLimited { retry_after } => Self::too_many(retry_after),
            E::HashCapacity { retry_after }
            | E::RevocationStateStale { retry_after }
            | E::DependencyUnavailable { retry_after }
            | E::ReaderTooSlow { retry_after }
            | E::ProviderUnavailable { retry_after }
            | E::Draining { retry_after } => Self::unavailable(retry_after),
            E::ConcurrentChange => Self::unavailable(SOON),
            E::ProviderUnknown => Self::unreadable(StatusCode::NOT_FOUND, "no provider has the name"),
            E::OAuthStateInvalid => Self::invalid_request("no sign-in at a provider goes on by these"),
            E::BearerRequired => {
                let error = Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "the bearer is not valid");
                Self { challenge: Some(words::INVALID_TOKEN), ..error }
            }
            E::RoleRequired => {
                Self::new(StatusCode::FORBIDDEN, "unauthorized_client", "the caller lacks the role that this wants")
            }
            E::EmailTaken
            | E::InvalidCode
            | E::MfaNotEnrolled
            | E::MfaKeptByRole
            | E::RegistrationClosed
            | E::EmailNotVerified
            | E::ReauthenticationRequired
            | E::UserUnknown
            | E::RoleUnknown
            | E::RoleTaken
            | E::RoleBuiltIn
            | E::RoleInUse
            | E::LimitReached
            | E::LastAdmin
            | E::SelfDemotion
            | E::EtagMismatch
            | E::SessionUnknown
            | E::ServiceAccountUnknown
            | E::SigningKeyUnknown
            | E::CursorTooOld
            | E::ProviderRefused
            | E::AccountExists
            | E::ProviderEmailNotVerified
            | E::IdentityTaken
            | E::IdentityUnknown
            | E::LastSignInMethod
            | E::Internal => Self::server_error(),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "error": self.code, "error_description": self.description });
        let mut response = answer::json(self.status, &body);
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        response.extensions_mut().insert(ErrorCode(self.code));
        response
    }
}

/// Rounded up: who comes back then is not too early (RFC 9110, section 10.2.3).
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: ServiceError) -> (u16, Option<String>, Option<String>) {
        let response = OAuthError::from(error).into_response();
        let text = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), text(header::RETRY_AFTER), text(header::WWW_AUTHENTICATE))
    }

    #[test]
    fn who_should_wait_is_told_for_how_many_whole_seconds() {
        let wait = Duration::from_millis(2_001);
        let limited = told(ServiceError::RateLimited { retry_after: wait });
        assert_eq!(limited, (429, Some("3".to_owned()), None));
        for error in [
            ServiceError::RevocationStateStale { retry_after: wait },
            ServiceError::DependencyUnavailable { retry_after: wait },
        ] {
            assert_eq!(told(error), (503, Some("3".to_owned()), None));
        }
        assert_eq!(told(ServiceError::ConcurrentChange), (503, Some("1".to_owned()), None));
    }

    #[test]
    fn every_401_says_how_to_authenticate() {
        assert_eq!(told(ServiceError::InvalidCredentials), (401, None, Some(BASIC.to_owned())));
        assert_eq!(told(ServiceError::BearerRequired), (401, None, Some(words::INVALID_TOKEN.to_owned())));
    }

    #[test]
    fn nobody_may_keep_an_error() {
        let response = OAuthError::from(ServiceError::InvalidToken).into_response();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::PRAGMA], "no-cache");
    }
}
