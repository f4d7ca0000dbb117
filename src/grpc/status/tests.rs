//! The table of errors, one test a row.

use super::*;

const AFTER: Duration = Duration::from_millis(1_500);

type Row = (Code, String, Option<Duration>);

fn row(status: &Status) -> Row {
    let details = status.get_error_details();
    let info = details.error_info().expect("every error carries ErrorInfo");
    assert_eq!(info.domain, "keystead.v1");
    assert!(!status.message().is_empty());
    (status.code(), info.reason.clone(), details.retry_info().and_then(|retry| retry.retry_delay))
}

macro_rules! rows {
    ($($name:ident: $status:expr => $code:ident, $reason:literal, $after:expr;)+) => {
        $(#[test]
        fn $name() {
            assert_eq!(row(&$status), (Code::$code, $reason.to_owned(), $after));
        })+

        /// The table as it is sent.
        pub fn rows() -> Vec<Row> {
            vec![row(&from_service(ServiceError::InvalidFields(Vec::new()))), $(row(&$status)),+]
        }
    };
}

rows! {
    a_known_address_already_exists:
        from_service(ServiceError::EmailTaken) => AlreadyExists, "EMAIL_TAKEN", None;
    closed_registration_is_a_failed_precondition:
        from_service(ServiceError::RegistrationClosed) => FailedPrecondition, "REGISTRATION_CLOSED", None;
    wrong_credentials_are_unauthenticated:
        from_service(ServiceError::InvalidCredentials) => Unauthenticated, "INVALID_CREDENTIALS", None;
    an_unverified_address_is_a_failed_precondition:
        from_service(ServiceError::EmailNotVerified) => FailedPrecondition, "EMAIL_NOT_VERIFIED", None;
    a_token_that_opens_nothing_is_unauthenticated:
        from_service(ServiceError::InvalidToken) => Unauthenticated, "INVALID_TOKEN", None;
    a_wrong_code_is_unauthenticated:
        from_service(ServiceError::InvalidCode) => Unauthenticated, "INVALID_CODE", None;
    a_missing_second_factor_is_unauthenticated:
        from_service(ServiceError::MfaRequired) => Unauthenticated, "MFA_REQUIRED", None;
    no_second_factor_is_a_failed_precondition:
        from_service(ServiceError::MfaNotEnrolled) => FailedPrecondition, "MFA_NOT_ENROLLED", None;
    a_second_factor_that_a_role_keeps_is_a_failed_precondition:
        from_service(ServiceError::MfaKeptByRole) => FailedPrecondition, "MFA_KEPT_BY_ROLE", None;
    too_many_attempts_say_when_to_come_back:
        from_service(ServiceError::RateLimited { retry_after: AFTER }) => ResourceExhausted, "RATE_LIMITED", Some(AFTER);
    too_many_hashes_say_when_to_come_back:
        from_service(ServiceError::HashCapacity { retry_after: AFTER }) => ResourceExhausted, "HASH_CAPACITY", Some(AFTER);
    stale_revocations_are_unavailable:
        from_service(ServiceError::RevocationStateStale { retry_after: AFTER })
        => Unavailable, "REVOCATION_STATE_STALE", Some(AFTER);
    a_silent_dependency_is_unavailable:
        from_service(ServiceError::DependencyUnavailable { retry_after: AFTER })
        => Unavailable, "DEPENDENCY_UNAVAILABLE", Some(AFTER);
    a_concurrent_change_aborts:
        from_service(ServiceError::ConcurrentChange) => Aborted, "CONCURRENT_CHANGE", None;
    a_missing_bearer_is_unauthenticated:
        from_service(ServiceError::BearerRequired) => Unauthenticated, "BEARER_REQUIRED", None;
    a_missing_role_is_denied:
        from_service(ServiceError::RoleRequired) => PermissionDenied, "ROLE_REQUIRED", None;
    a_login_that_is_not_recent_is_a_failed_precondition:
        from_service(ServiceError::ReauthenticationRequired) => FailedPrecondition, "REAUTHENTICATION_REQUIRED", None;
    an_unknown_provider_is_not_found:
        from_service(ServiceError::ProviderUnknown) => NotFound, "PROVIDER_UNKNOWN", None;
    a_flow_that_is_nobodys_is_unauthenticated:
        from_service(ServiceError::OAuthStateInvalid) => Unauthenticated, "OAUTH_STATE_INVALID", None;
    a_provider_that_vouches_for_nobody_is_unauthenticated:
        from_service(ServiceError::ProviderRefused) => Unauthenticated, "PROVIDER_REFUSED", None;
    a_silent_provider_is_unavailable:
        from_service(ServiceError::ProviderUnavailable { retry_after: AFTER })
        => Unavailable, "PROVIDER_UNAVAILABLE", Some(AFTER);
    an_account_that_is_not_linked_already_exists:
        from_service(ServiceError::AccountExists) => AlreadyExists, "ACCOUNT_EXISTS", None;
    an_address_that_the_provider_has_not_verified_is_a_failed_precondition:
        from_service(ServiceError::ProviderEmailNotVerified)
        => FailedPrecondition, "PROVIDER_EMAIL_NOT_VERIFIED", None;
    an_identity_of_somebody_else_already_exists:
        from_service(ServiceError::IdentityTaken) => AlreadyExists, "IDENTITY_TAKEN", None;
    an_unknown_identity_is_not_found:
        from_service(ServiceError::IdentityUnknown) => NotFound, "IDENTITY_UNKNOWN", None;
    the_last_way_to_sign_in_stays:
        from_service(ServiceError::LastSignInMethod) => FailedPrecondition, "LAST_SIGN_IN_METHOD", None;
    an_unknown_user_is_not_found:
        from_service(ServiceError::UserUnknown) => NotFound, "USER_UNKNOWN", None;
    an_unknown_role_is_not_found:
        from_service(ServiceError::RoleUnknown) => NotFound, "ROLE_UNKNOWN", None;
    a_known_role_already_exists:
        from_service(ServiceError::RoleTaken) => AlreadyExists, "ROLE_TAKEN", None;
    a_built_in_role_is_a_failed_precondition:
        from_service(ServiceError::RoleBuiltIn) => FailedPrecondition, "ROLE_BUILT_IN", None;
    a_role_that_somebody_has_is_a_failed_precondition:
        from_service(ServiceError::RoleInUse) => FailedPrecondition, "ROLE_IN_USE", None;
    a_limit_that_is_reached_is_a_failed_precondition:
        from_service(ServiceError::LimitReached) => FailedPrecondition, "LIMIT_REACHED", None;
    the_last_administrator_is_a_failed_precondition:
        from_service(ServiceError::LastAdmin) => FailedPrecondition, "LAST_ADMIN", None;
    ones_own_demotion_is_a_failed_precondition:
        from_service(ServiceError::SelfDemotion) => FailedPrecondition, "SELF_DEMOTION", None;
    an_etag_that_moved_aborts:
        from_service(ServiceError::EtagMismatch) => Aborted, "ETAG_MISMATCH", None;
    an_unknown_session_is_not_found:
        from_service(ServiceError::SessionUnknown) => NotFound, "SESSION_UNKNOWN", None;
    an_unknown_service_account_is_not_found:
        from_service(ServiceError::ServiceAccountUnknown) => NotFound, "SERVICE_ACCOUNT_UNKNOWN", None;
    an_unknown_signing_key_is_not_found:
        from_service(ServiceError::SigningKeyUnknown) => NotFound, "SIGNING_KEY_UNKNOWN", None;
    a_cursor_before_what_is_left_is_out_of_range:
        from_service(ServiceError::CursorTooOld) => OutOfRange, "CURSOR_TOO_OLD", None;
    a_reader_that_does_not_keep_up_exhausts_a_resource:
        from_service(ServiceError::ReaderTooSlow { retry_after: AFTER }) =>
            ResourceExhausted, "READER_TOO_SLOW", Some(AFTER);
    a_replica_that_goes_is_unavailable:
        from_service(ServiceError::Draining { retry_after: AFTER }) => Unavailable, "DRAINING", Some(AFTER);
    a_fault_of_ours_is_internal:
        from_service(ServiceError::Internal) => Internal, "INTERNAL", None;
    undecodable_bytes_are_an_invalid_argument:
        malformed_message() => InvalidArgument, "MALFORMED_MESSAGE", None;
    a_large_message_exhausts_a_resource:
        message_too_large() => ResourceExhausted, "MESSAGE_TOO_LARGE", None;
    a_passed_deadline_says_so:
        deadline_exceeded() => DeadlineExceeded, "DEADLINE_EXCEEDED", None;
    an_unknown_method_is_unimplemented:
        unknown_method() => Unimplemented, "UNKNOWN_METHOD", None;
    an_unknown_service_is_not_found:
        unknown_service() => NotFound, "UNKNOWN_SERVICE", None;
    compression_is_unimplemented:
        unsupported_encoding() => Unimplemented, "UNSUPPORTED_ENCODING", None;
}

#[test]
fn every_field_at_fault_is_named() {
    let violation = |field: &str| crate::service::error::FieldViolation {
        field: field.to_owned(),
        description: "must not be empty".to_owned(),
    };
    let status = from_service(ServiceError::InvalidFields(vec![violation("email"), violation("password")]));
    assert_eq!(row(&status), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), None));
    let details = status.get_error_details();
    let bad_request = details.bad_request().expect("an INVALID_FIELDS carries BadRequest");
    let fields: Vec<_> = bad_request.field_violations.iter().map(|found| found.field.as_str()).collect();
    assert_eq!(fields, ["email", "password"]);
}
