//! The last look at an error status on its way out: it carries `ErrorInfo` and the trace id, whoever made it.
//!
//! Only the headers are looked at: an error of a unary call is always told there, without a body ("trailers-only").

use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::status;
use crate::domain::origin::TraceId;

/// Completes the status in the headers, and tells its code: `Ok` where there is none.
pub fn complete(headers: &mut HeaderMap, trace_id: TraceId) -> Code {
    let Some(told) = Status::from_header_map(headers).filter(|status| status.code() != Code::Ok) else {
        return Code::Ok;
    };
    let told = if told.get_error_details().error_info().is_some() { told } else { translated(told.code()) };
    let mut details = told.get_error_details();
    details.set_request_info(trace_id.to_string(), "");
    let complete = Status::with_error_details(told.code(), told.message(), details);
    if complete.add_header(headers).is_err() {
        tracing::error!(code = ?told.code(), "an error status does not fit into headers");
    }
    complete.code()
}

/// What a status means that tonic or one of its services has made, and not this service.
///
/// tonic blames itself (INTERNAL, UNKNOWN) for requests that it cannot read: a missing message, a bad flag, a body that
/// ends too soon.
fn translated(code: Code) -> Status {
    match code {
        Code::OutOfRange | Code::ResourceExhausted => status::message_too_large(),
        Code::Unimplemented => status::unknown_method(),
        Code::NotFound => status::unknown_service(),
        Code::DeadlineExceeded => status::deadline_exceeded(),
        Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss | Code::InvalidArgument => {
            status::malformed_message()
        }
        Code::Ok
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Unavailable
        | Code::Unauthenticated => status::internal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: TraceId = TraceId([0xab; 16]);

    fn completed(status: &Status) -> Status {
        let mut headers = HeaderMap::new();
        status.add_header(&mut headers).expect("headers");
        let code = complete(&mut headers, TRACE);
        let status = Status::from_header_map(&headers).expect("a status");
        assert_eq!(status.code(), code);
        status
    }

    fn reason(status: &Status) -> String {
        status.get_error_details().error_info().expect("ErrorInfo").reason.clone()
    }

    #[test]
    fn every_error_carries_the_trace_id() {
        for status in [status::internal(), Status::internal("failed to decode Protobuf message: LoginRequest.email")] {
            let details = completed(&status).get_error_details();
            assert_eq!(details.request_info().expect("RequestInfo").request_id, "ab".repeat(16));
        }
    }

    #[test]
    fn our_own_status_keeps_code_text_and_details() {
        let after = std::time::Duration::from_secs(3);
        let own = status::from_service(crate::service::error::ServiceError::RateLimited { retry_after: after });
        let got = completed(&own);
        assert_eq!((got.code(), got.message()), (own.code(), own.message()));
        assert_eq!(reason(&got), "RATE_LIMITED");
        assert_eq!(got.get_error_details().retry_info().and_then(|retry| retry.retry_delay), Some(after));
    }

    #[test]
    fn what_tonic_says_becomes_what_the_contract_says() {
        for (told, code, expected) in [
            (Status::out_of_range("too large"), Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
            (Status::internal("Missing request message."), Code::InvalidArgument, "MALFORMED_MESSAGE"),
            (Status::unknown("what"), Code::InvalidArgument, "MALFORMED_MESSAGE"),
            (Status::unimplemented(""), Code::Unimplemented, "UNKNOWN_METHOD"),
            (Status::not_found("service not registered"), Code::NotFound, "UNKNOWN_SERVICE"),
            (Status::deadline_exceeded("Timeout expired"), Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        ] {
            let got = completed(&told);
            assert_eq!((got.code(), reason(&got).as_str()), (code, expected));
            assert_ne!(got.message(), told.message());
        }
    }

    #[test]
    fn a_success_is_left_alone() {
        let mut headers = HeaderMap::new();
        assert_eq!(complete(&mut headers, TRACE), Code::Ok);
        assert!(headers.is_empty());
    }
}
