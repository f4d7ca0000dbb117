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
    let ((code, reason), text) = (meaning(&error), text(&error));
    let retry_after = retry_after(&error);
    if let ServiceError::InvalidFields(violations) = error {
        return invalid_fields(violations);
    }
    match retry_after {
        Some(retry_after) => retry(code, reason, text, retry_after),
        None => plain(code, reason, text),
    }
}

/// The reason by which an error is known.
pub fn reason(error: &ServiceError) -> ErrorReason {
    meaning(error).1
}

/// What errors mean, one row each; in plain words below.
fn meaning(error: &ServiceError) -> (Code, ErrorReason) {
    match error {
        E::InvalidFields(_) => (Code::InvalidArgument, R::InvalidFields),
        E::EmailTaken => (Code::AlreadyExists, R::EmailTaken),
        E::RegistrationClosed => (Code::FailedPrecondition, R::RegistrationClosed),
        E::InvalidCredentials => (Code::Unauthenticated, R::InvalidCredentials),
        E::EmailNotVerified => (Code::FailedPrecondition, R::EmailNotVerified),
        E::InvalidToken => (Code::Unauthenticated, R::InvalidToken),
        E::InvalidCode => (Code::Unauthenticated, R::InvalidCode),
        E::MfaRequired => (Code::Unauthenticated, R::MfaRequired),
        E::MfaNotEnrolled => (Code::FailedPrecondition, R::MfaNotEnrolled),
        E::MfaKeptByRole => (Code::FailedPrecondition, R::MfaKeptByRole),
        E::RateLimited { .. } => (Code::ResourceExhausted, R::RateLimited),
        E::HashCapacity { .. } => (Code::ResourceExhausted, R::HashCapacity),
        E::RevocationStateStale { .. } => (Code::Unavailable, R::RevocationStateStale),
        E::DependencyUnavailable { .. } => (Code::Unavailable, R::DependencyUnavailable),
        E::ConcurrentChange => (Code::Aborted, R::ConcurrentChange),
        E::BearerRequired => (Code::Unauthenticated, R::BearerRequired),
        E::RoleRequired => (Code::PermissionDenied, R::RoleRequired),
        E::ReauthenticationRequired => (Code::FailedPrecondition, R::ReauthenticationRequired),
        E::UserUnknown => (Code::NotFound, R::UserUnknown),
        E::RoleUnknown => (Code::NotFound, R::RoleUnknown),
        E::RoleTaken => (Code::AlreadyExists, R::RoleTaken),
        E::RoleBuiltIn => (Code::FailedPrecondition, R::RoleBuiltIn),
        E::RoleInUse => (Code::FailedPrecondition, R::RoleInUse),
        E::LimitReached => (Code::FailedPrecondition, R::LimitReached),
        E::LastAdmin => (Code::FailedPrecondition, R::LastAdmin),
        E::SelfDemotion => (Code::FailedPrecondition, R::SelfDemotion),
        E::EtagMismatch => (Code::Aborted, R::EtagMismatch),
        E::SessionUnknown => (Code::NotFound, R::SessionUnknown),
        E::ServiceAccountUnknown => (Code::NotFound, R::ServiceAccountUnknown),
        E::SigningKeyUnknown => (Code::NotFound, R::SigningKeyUnknown),
        E::CursorTooOld => (Code::OutOfRange, R::CursorTooOld),
        E::ReaderTooSlow { .. } => (Code::ResourceExhausted, R::ReaderTooSlow),
        E::Draining { .. } => (Code::Unavailable, R::Draining),
        E::ProviderUnknown => (Code::NotFound, R::ProviderUnknown),
        E::OAuthStateInvalid => (Code::Unauthenticated, R::OauthStateInvalid),
        E::ProviderRefused => (Code::Unauthenticated, R::ProviderRefused),
        E::ProviderUnavailable { .. } => (Code::Unavailable, R::ProviderUnavailable),
        E::AccountExists => (Code::AlreadyExists, R::AccountExists),
        E::ProviderEmailNotVerified => (Code::FailedPrecondition, R::ProviderEmailNotVerified),
        E::IdentityTaken => (Code::AlreadyExists, R::IdentityTaken),
        E::IdentityUnknown => (Code::NotFound, R::IdentityUnknown),
        E::LastSignInMethod => (Code::FailedPrecondition, R::LastSignInMethod),
        E::Internal => (Code::Internal, R::Internal),
    }
}

/// What is told: fixed texts, without input and internals.
const fn text(error: &ServiceError) -> &'static str {
    match error {
        E::InvalidFields(_) => INVALID_FIELDS,
        E::EmailTaken | E::AccountExists => "an account with this address exists",
        E::RegistrationClosed => "this service takes no registrations",
        E::InvalidCredentials => "address and password do not match an account",
        E::EmailNotVerified => "the address has to be verified first",
        E::InvalidToken => "the token is not valid",
        E::InvalidCode => "the code is wrong or used up",
        E::MfaRequired => "a role of the account asks for a second factor; sign in with one",
        E::MfaNotEnrolled => "the account has no second factor",
        E::MfaKeptByRole => "a role of the account asks for the second factor",
        E::RateLimited { .. } => "too many attempts",
        E::HashCapacity { .. } => "too many passwords wait to be checked",
        E::RevocationStateStale { .. } => "revocations have not been read for too long",
        E::DependencyUnavailable { .. } => "the service cannot answer at the moment",
        E::ConcurrentChange => "the request met a concurrent change; send it again",
        E::BearerRequired => "the method wants a valid bearer",
        E::RoleRequired => "the caller lacks the role that the method wants",
        E::ReauthenticationRequired => "sign in again, then repeat the call within five minutes",
        E::UserUnknown => "no user has the id",
        E::RoleUnknown => "no role has the name",
        E::RoleTaken => "a role with this name exists",
        E::RoleBuiltIn => "the role belongs to the service itself",
        E::RoleInUse => "somebody still has the role",
        E::LimitReached => "there are as many as there may be",
        E::LastAdmin => "the last administrator stays",
        E::SelfDemotion => "administrators do not demote themselves",
        E::EtagMismatch => "the account has changed since the etag was read",
        E::SessionUnknown => "the user has no open session with the id",
        E::ServiceAccountUnknown => "no service account has the id",
        E::SigningKeyUnknown => "no signing key has the id",
        E::CursorTooOld => "what came after the cursor is no longer all there",
        E::ReaderTooSlow { .. } => "the reader does not keep up; connect again and resume",
        E::Draining { .. } => "the replica is going; connect again",
        E::ProviderUnknown => "no provider has the name",
        E::OAuthStateInvalid => "no sign-in ends by these; begin anew",
        E::ProviderRefused => "the provider vouches for nobody",
        E::ProviderUnavailable { .. } => "the provider does not answer",
        E::ProviderEmailNotVerified => "the address is unverified",
        E::IdentityTaken => "the identity opens another account",
        E::IdentityUnknown => "the user has no identity with the id",
        E::LastSignInMethod => "nothing would be left to sign in with",
        E::Internal => "the service is at fault",
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
