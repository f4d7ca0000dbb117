//! Requests that do not pass, told over gRPC and over HTTP in the service's own words.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use keystead_verifier::Refusal;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::outcome::Ignorance;

/// The domain of the reasons, which are those of `keystead.v1.ErrorReason`.
const DOMAIN: &str = "keystead.v1";
const RETRY_AFTER: Duration = Duration::from_secs(1);
const WWW_AUTHENTICATE: &str = "www-authenticate";

/// Why a request does not pass. What exactly is wrong with a token is nobody's business but the owner's of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    NoToken,
    Token,
    Role,
    Stale,
    NoAnswer,
}

impl Rejection {
    pub(crate) const fn of_refusal(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InsufficientRole => Self::Role,
            Refusal::Expired
            | Refusal::NotYetValid
            | Refusal::Revoked
            | Refusal::BadSignature
            | Refusal::UnknownKey
            | Refusal::WrongAudience
            | Refusal::WrongIssuer
            | Refusal::WrongType
            | Refusal::Malformed => Self::Token,
        }
    }

    pub(crate) const fn of_ignorance(ignorance: Ignorance) -> Self {
        match ignorance {
            Ignorance::StaleFeed => Self::Stale,
            Ignorance::NoKeys | Ignorance::NoAnswer => Self::NoAnswer,
        }
    }

    const fn words(self) -> (Code, StatusCode, &'static str, &'static str) {
        match self {
            Self::NoToken | Self::Token => (
                Code::Unauthenticated,
                StatusCode::UNAUTHORIZED,
                "BEARER_REQUIRED",
                "a valid access token is required as a bearer",
            ),
            Self::Role => (Code::PermissionDenied, StatusCode::FORBIDDEN, "ROLE_REQUIRED", "a role is missing"),
            Self::Stale => (
                Code::Unavailable,
                StatusCode::SERVICE_UNAVAILABLE,
                "REVOCATION_STATE_STALE",
                "tokens cannot be judged at the moment",
            ),
            Self::NoAnswer => (
                Code::Unavailable,
                StatusCode::SERVICE_UNAVAILABLE,
                "DEPENDENCY_UNAVAILABLE",
                "tokens cannot be judged at the moment",
            ),
        }
    }

    /// RFC 6750, section 3: no error is named to who has shown nothing. `None` where no other token would help.
    fn challenge(self, realm: &str) -> Option<String> {
        let error = match self {
            Self::NoToken => "",
            Self::Token => "error=\"invalid_token\"",
            Self::Role => "error=\"insufficient_scope\"",
            Self::Stale | Self::NoAnswer => return None,
        };
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let realm =
            if realm.is_empty() || !realm.bytes().all(is_plain) { String::new() } else { format!("realm=\"{realm}\"") };
        let parameters: Vec<_> = [realm.as_str(), error].into_iter().filter(|part| !part.is_empty()).collect();
        Some(format!("Bearer {}", parameters.join(", ")).trim_end().to_owned())
    }

    pub(crate) fn status(self, realm: &str) -> Status {
        let (code, _, reason, text) = self.words();
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, []);
        if code == Code::Unavailable {
            details.set_retry_info(Some(RETRY_AFTER));
        }
        let mut metadata = MetadataMap::new();
        if let Some(challenge) = self.challenge(realm).and_then(|text| text.parse::<AsciiMetadataValue>().ok()) {
            metadata.insert(WWW_AUTHENTICATE, challenge);
        }
        Status::with_error_details_and_metadata(code, text, details, metadata)
    }

    /// The answer to a request, by its own protocol.
    pub(crate) fn response<B: Default>(self, realm: &str, request: &HeaderMap) -> Response<B> {
        if is_grpc(request) {
            return self.status(realm).into_http();
        }
        let mut response = Response::new(B::default());
        *response.status_mut() = self.words().1;
        if let Some(challenge) = self.challenge(realm).and_then(|text| HeaderValue::try_from(text).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if matches!(self, Self::Stale | Self::NoAnswer) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER.as_secs()));
        }
        response
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_what_would_help() {
        for (rejection, challenge) in [
            (Rejection::NoToken, Some("Bearer realm=\"shop\"")),
            (Rejection::Token, Some("Bearer realm=\"shop\", error=\"invalid_token\"")),
            (Rejection::Role, Some("Bearer realm=\"shop\", error=\"insufficient_scope\"")),
            (Rejection::Stale, None),
            (Rejection::NoAnswer, None),
        ] {
            assert_eq!(rejection.challenge("shop").as_deref(), challenge);
        }
        assert_eq!(Rejection::NoToken.challenge("a\"b\r\n").as_deref(), Some("Bearer"));
    }

    #[test]
    fn each_protocol_is_answered_in_its_own_way() {
        let mut grpc = HeaderMap::new();
        grpc.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
        let answer: Response<String> = Rejection::Role.response("shop", &grpc);
        assert_eq!((answer.status(), &answer.headers()["grpc-status"]), (StatusCode::OK, &HeaderValue::from(7)));
        let answer: Response<String> = Rejection::Role.response("shop", &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let answer: Response<String> = Rejection::Stale.response("shop", &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    }
}
