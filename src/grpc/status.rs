//! What an error means in gRPC: a code, a fixed text, and the details of `google.rpc`. The one list of them.
//!
//! The trace id is not known here: `details` adds it to every status on its way out.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use super::pb::ErrorReason;
use crate::service::error::ServiceError;

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const ERROR_DOMAIN: &str = "keystead.v1";

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
    match error {
        ServiceError::InvalidFields(violations) => invalid_fields(violations),
        ServiceError::EmailTaken => {
            plain(Code::AlreadyExists, ErrorReason::EmailTaken, "an account with this address exists")
        }
        ServiceError::RegistrationClosed => {
            plain(Code::FailedPrecondition, ErrorReason::RegistrationClosed, "this service takes no registrations")
        }
        ServiceError::InvalidCredentials => plain(
            Code::Unauthenticated,
            ErrorReason::InvalidCredentials,
            "address and password do not match an account",
        ),
        ServiceError::EmailNotVerified => {
            plain(Code::FailedPrecondition, ErrorReason::EmailNotVerified, "the address has to be verified first")
        }
        ServiceError::InvalidToken => plain(Code::Unauthenticated, ErrorReason::InvalidToken, "the token is not valid"),
        ServiceError::RateLimited { retry_after } => {
            retry(Code::ResourceExhausted, ErrorReason::RateLimited, "too many attempts", retry_after)
        }
        ServiceError::HashCapacity { retry_after } => retry(
            Code::ResourceExhausted,
            ErrorReason::HashCapacity,
            "too many passwords wait to be checked",
            retry_after,
        ),
        ServiceError::RevocationStateStale { retry_after } => retry(
            Code::Unavailable,
            ErrorReason::RevocationStateStale,
            "revocations have not been read for too long",
            retry_after,
        ),
        ServiceError::DependencyUnavailable { retry_after } => retry(
            Code::Unavailable,
            ErrorReason::DependencyUnavailable,
            "the service cannot answer at the moment",
            retry_after,
        ),
        ServiceError::ConcurrentChange => {
            plain(Code::Aborted, ErrorReason::ConcurrentChange, "the request met a concurrent change; send it again")
        }
        ServiceError::BearerRequired => {
            plain(Code::Unauthenticated, ErrorReason::BearerRequired, "the method wants a valid bearer")
        }
        ServiceError::RoleRequired => {
            plain(Code::PermissionDenied, ErrorReason::RoleRequired, "the caller lacks the role that the method wants")
        }
        ServiceError::ReauthenticationRequired => plain(
            Code::FailedPrecondition,
            ErrorReason::ReauthenticationRequired,
            "sign in again, then repeat the call within five minutes",
        ),
        ServiceError::UserUnknown => plain(Code::NotFound, ErrorReason::UserUnknown, "no user has the id"),
        ServiceError::RoleUnknown => plain(Code::NotFound, ErrorReason::RoleUnknown, "no role has the name"),
        ServiceError::RoleTaken => plain(Code::AlreadyExists, ErrorReason::RoleTaken, "a role with this name exists"),
        ServiceError::RoleBuiltIn => {
            plain(Code::FailedPrecondition, ErrorReason::RoleBuiltIn, "the role belongs to the service itself")
        }
        ServiceError::RoleInUse => {
            plain(Code::FailedPrecondition, ErrorReason::RoleInUse, "somebody still has the role")
        }
        ServiceError::LastAdmin => {
            plain(Code::FailedPrecondition, ErrorReason::LastAdmin, "the last administrator stays")
        }
        ServiceError::SelfDemotion => {
            plain(Code::FailedPrecondition, ErrorReason::SelfDemotion, "administrators do not demote themselves")
        }
        ServiceError::EtagMismatch => {
            plain(Code::Aborted, ErrorReason::EtagMismatch, "the account has changed since the etag was read")
        }
        ServiceError::SessionUnknown => {
            plain(Code::NotFound, ErrorReason::SessionUnknown, "the user has no open session with the id")
        }
        ServiceError::ServiceAccountUnknown => {
            plain(Code::NotFound, ErrorReason::ServiceAccountUnknown, "no service account has the id")
        }
        ServiceError::SigningKeyUnknown => {
            plain(Code::NotFound, ErrorReason::SigningKeyUnknown, "no signing key has the id")
        }
        ServiceError::CursorTooOld => {
            plain(Code::OutOfRange, ErrorReason::CursorTooOld, "the events after the cursor are no longer all there")
        }
        ServiceError::Draining { retry_after } => {
            retry(Code::Unavailable, ErrorReason::Draining, "the replica is going; connect again", retry_after)
        }
        ServiceError::Internal => internal(),
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
    Status::with_error_details(Code::InvalidArgument, "the request has fields at fault", details)
}

fn details(reason: ErrorReason) -> ErrorDetails {
    let name = reason.as_str_name();
    let name = name.strip_prefix(REASON_PREFIX).unwrap_or(name);
    ErrorDetails::with_error_info(name, ERROR_DOMAIN, std::collections::HashMap::new())
}

#[cfg(test)]
pub mod tests;
