//! What an error means in gRPC: a code, a fixed text, and the details of `google.rpc`. The one list of them.
//!
//! The trace id is not known here: `details` adds it to every status on its way out.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use super::pb::ErrorReason;
use crate::service::error::ServiceError;

use ErrorReason as R;
use ServiceError as E;

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "keystead.v1";

const INVALID_FIELDS: &str = "the request has fields at fault";

const REASON_PREFIX: &str = "ERROR_REASON_";

/// More violations are not told: the details travel in headers, and clients refuse large ones.
const MAX_VIOLATIONS: usize = 50;

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        from_service(error)
    }
}

/// Translates what a use case answered.
pub fn from_service(error: ServiceError) -> Status {
    let (code, reason, text) = meaning(&error);
    let retry_after = retry_after(&error);
    if let ServiceError::InvalidFields(violations) = error {
        return invalid_fields(violations);
    }
    match retry_after {
        Some(retry_after) => retry(code, reason, text, retry_after),
        None => plain(code, reason, text),
    }
}

/// The one list of what errors mean.
fn meaning(error: &ServiceError) -> (Code, ErrorReason, &'static str) {
    match error {
        E::InvalidFields(_) => (Code::InvalidArgument, R::InvalidFields, INVALID_FIELDS),
        E::EmailTaken => (Code::AlreadyExists, R::EmailTaken, "an account with this address exists"),
        E::RegistrationClosed => {
            (Code::FailedPrecondition, R::RegistrationClosed, "this service takes no registrations")
        }
        E::InvalidCredentials => {
            (Code::Unauthenticated, R::InvalidCredentials, "address and password do not match an account")
        }
        E::EmailNotVerified => (Code::FailedPrecondition, R::EmailNotVerified, "the address has to be verified first"),
        E::InvalidToken => (Code::Unauthenticated, R::InvalidToken, "the token is not valid"),
        E::RateLimited { .. } => (Code::ResourceExhausted, R::RateLimited, "too many attempts"),
        E::HashCapacity { .. } => (Code::ResourceExhausted, R::HashCapacity, "too many passwords wait to be checked"),
        E::RevocationStateStale { .. } => {
            (Code::Unavailable, R::RevocationStateStale, "revocations have not been read for too long")
        }
        E::DependencyUnavailable { .. } => {
            (Code::Unavailable, R::DependencyUnavailable, "the service cannot answer at the moment")
        }
        E::ConcurrentChange => {
            (Code::Aborted, R::ConcurrentChange, "the request met a concurrent change; send it again")
        }
        E::BearerRequired => (Code::Unauthenticated, R::BearerRequired, "the method wants a valid bearer"),
        E::RoleRequired => (Code::PermissionDenied, R::RoleRequired, "the caller lacks the role that the method wants"),
        E::ReauthenticationRequired => (
            Code::FailedPrecondition,
            R::ReauthenticationRequired,
            "sign in again, then repeat the call within five minutes",
        ),
        E::UserUnknown => (Code::NotFound, R::UserUnknown, "no user has the id"),
        E::RoleUnknown => (Code::NotFound, R::RoleUnknown, "no role has the name"),
        E::RoleTaken => (Code::AlreadyExists, R::RoleTaken, "a role with this name exists"),
        E::RoleBuiltIn => (Code::FailedPrecondition, R::RoleBuiltIn, "the role belongs to the service itself"),
        E::RoleInUse => (Code::FailedPrecondition, R::RoleInUse, "somebody still has the role"),
        E::LimitReached => (Code::FailedPrecondition, R::LimitReached, "there are as many as there may be"),
        E::LastAdmin => (Code::FailedPrecondition, R::LastAdmin, "the last administrator stays"),
        E::SelfDemotion => (Code::FailedPrecondition, R::SelfDemotion, "administrators do not demote themselves"),
        E::EtagMismatch => (Code::Aborted, R::EtagMismatch, "the account has changed since the etag was read"),
        E::SessionUnknown => (Code::NotFound, R::SessionUnknown, "the user has no open session with the id"),
        E::ServiceAccountUnknown => (Code::NotFound, R::ServiceAccountUnknown, "no service account has the id"),
        E::SigningKeyUnknown => (Code::NotFound, R::SigningKeyUnknown, "no signing key has the id"),
        E::CursorTooOld => (Code::OutOfRange, R::CursorTooOld, "what came after the cursor is no longer all there"),
        E::ReaderTooSlow { .. } => {
            (Code::ResourceExhausted, R::ReaderTooSlow, "the reader does not keep up; connect again and resume")
        }
        E::Draining { .. } => (Code::Unavailable, R::Draining, "the replica is going; connect again"),
        E::ProviderUnknown => (Code::NotFound, R::ProviderUnknown, "no provider has the name"),
        E::OAuthStateInvalid => (Code::Unauthenticated, R::OauthStateInvalid, "no sign-in ends by these; begin anew"),
        E::ProviderRefused => (Code::Unauthenticated, R::ProviderRefused, "the provider vouches for nobody"),
        E::ProviderUnavailable { .. } => (Code::Unavailable, R::ProviderUnavailable, "the provider does not answer"),
        E::AccountExists => (Code::AlreadyExists, R::AccountExists, "an account with this address exists"),
        E::ProviderEmailNotVerified => {
            (Code::FailedPrecondition, R::ProviderEmailNotVerified, "the address is unverified")
        }
        E::IdentityTaken => (Code::AlreadyExists, R::IdentityTaken, "the identity opens another account"),
        E::IdentityUnknown => (Code::NotFound, R::IdentityUnknown, "the user has no identity with the id"),
        E::LastSignInMethod => (Code::FailedPrecondition, R::LastSignInMethod, "nothing would be left to sign in with"),
        E::Internal => (Code::Internal, R::Internal, "the service is at fault"),
    }
}

/// When another try may do.
fn retry_after(error: &ServiceError) -> Option<Duration> {
    if let ServiceError::RateLimited { retry_after }
    | ServiceError::HashCapacity { retry_after }
    | ServiceError::RevocationStateStale { retry_after }
    | ServiceError::DependencyUnavailable { retry_after }
    | ServiceError::ReaderTooSlow { retry_after }
    | ServiceError::Draining { retry_after }
    | ServiceError::ProviderUnavailable { retry_after } = error
    {
        Some(*retry_after)
    } else {
        None
    }
}

/// The service is at fault.
pub fn internal() -> Status {
    plain(Code::Internal, ErrorReason::Internal, "the service is at fault")
}

/// The bytes are no message of the method's type.
pub fn malformed_message() -> Status {
    plain(
        Code::InvalidArgument,
        ErrorReason::MalformedMessage,
        "the request is no well-formed message of the method's type",
    )
}

/// The message is larger than the method accepts.
pub fn message_too_large() -> Status {
    plain(Code::ResourceExhausted, ErrorReason::MessageTooLarge, "the message is larger than the method accepts")
}

/// The caller's deadline, or the cap on it, has passed.
pub fn deadline_exceeded() -> Status {
    plain(Code::DeadlineExceeded, ErrorReason::DeadlineExceeded, "the deadline has passed")
}

/// There is no such method.
pub fn unknown_method() -> Status {
    plain(Code::Unimplemented, ErrorReason::UnknownMethod, "the service has no such method")
}

/// The health service knows no such service.
pub fn unknown_service() -> Status {
    plain(Code::NotFound, ErrorReason::UnknownService, "no service of that name is known")
}

/// The message is compressed in a way that is not read here.
pub fn unsupported_encoding() -> Status {
    plain(Code::Unimplemented, ErrorReason::UnsupportedEncoding, "compressed messages are not read")
}

fn plain(code: Code, reason: ErrorReason, text: &'static str) -> Status {
    Status::with_error_details(code, text, details(reason))
}

fn retry(code: Code, reason: ErrorReason, text: &'static str, after: Duration) -> Status {
    let mut details = details(reason);
    details.set_retry_info(Some(after));
    Status::with_error_details(code, text, details)
}

fn invalid_fields(violations: Vec<crate::service::error::FieldViolation>) -> Status {
    let violations: Vec<_> = violations
        .into_iter()
        .take(MAX_VIOLATIONS)
        .map(|found| FieldViolation::new(found.field, found.description))
        .collect();
    let mut details = details(ErrorReason::InvalidFields);
    details.set_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, INVALID_FIELDS, details)
}

fn details(reason: ErrorReason) -> ErrorDetails {
    let name = reason.as_str_name();
    let name = name.strip_prefix(REASON_PREFIX).unwrap_or(name);
    ErrorDetails::with_error_info(name, ERROR_DOMAIN, std::collections::HashMap::new())
}

#[cfg(test)]
pub mod tests;
