//! What the front does before and after a handler: deadlines, panics, refusals.

use std::net::Ipv4Addr;

use http_body::Body as _;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::*;
use crate::grpc::testing::{Behaviour, GET_JWKS, Once, front};
use crate::service::error::ServiceError;

const EMPTY_MESSAGE: &[u8] = &[0, 0, 0, 0, 0];
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn send(behaviour: Behaviour, path: &str, body: &'static [u8], headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::post(path).header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Once((!body.is_empty()).then(|| Bytes::from_static(body)));
    front(behaviour).await.answer(PEER, request.body(body).expect("a request")).await
}

/// Code and reason, after checking what every error answer must have.
fn told(response: &Response<Body>) -> (Code, String) {
    let status = Status::from_header_map(response.headers()).expect("an error is told in the headers");
    assert!(response.body().is_end_stream(), "and nothing follows them");
    let details = status.get_error_details();
    let info = details.error_info().expect("ErrorInfo");
    assert_eq!(info.domain, "keystead.v1");
    assert_eq!(details.request_info().expect("RequestInfo").request_id, "ab".repeat(16));
    (status.code(), info.reason.clone())
}

fn row(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

#[tokio::test]
async fn a_good_call_is_answered() {
    let response = send(Behaviour::Answer, GET_JWKS, EMPTY_MESSAGE, &[]).await;
    assert!(Status::from_header_map(response.headers()).is_none());
    assert!(!response.body().is_end_stream());
}

#[tokio::test]
async fn what_a_use_case_answers_is_told_with_the_trace_id() {
    let response = send(Behaviour::Fail(ServiceError::InvalidToken), GET_JWKS, EMPTY_MESSAGE, &[]).await;
    assert_eq!(told(&response), row(Code::Unauthenticated, "INVALID_TOKEN"));
}

#[tokio::test]
async fn the_callers_trace_goes_on() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let behaviour = Behaviour::Fail(ServiceError::Internal);
    let response = send(behaviour, GET_JWKS, EMPTY_MESSAGE, &[("traceparent", parent)]).await;
    let status = Status::from_header_map(response.headers()).expect("a status");
    let details = status.get_error_details();
    assert_eq!(details.request_info().expect("RequestInfo").request_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn bytes_that_are_no_message_are_an_invalid_argument() {
    let malformed = row(Code::InvalidArgument, "MALFORMED_MESSAGE");
    for (name, body) in [
        ("undecodable", &[0, 0, 0, 0, 2, 0x0a, 0x7f][..]),
        ("missing", &[]),
        ("cut in its prefix", &[0, 0, 0]),
        ("cut in its message", &[0, 0, 0, 0, 9, 1]),
        ("with an unknown flag", &[7, 0, 0, 0, 0]),
        ("compressed without an encoding", &[1, 0, 0, 0, 0]),
    ] {
        assert_eq!(told(&send(Behaviour::Answer, GET_JWKS, body, &[]).await), malformed, "{name}");
    }
}

// promise N2
#[tokio::test]
async fn a_message_is_refused_by_the_length_that_it_announces() {
    let announced = &[0, 0, 1, 0, 1];
    let response = send(Behaviour::Answer, GET_JWKS, announced, &[]).await;
    assert_eq!(told(&response), row(Code::ResourceExhausted, "MESSAGE_TOO_LARGE"));
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    for path in ["/keystead.v1.TokenService/Nothing", "/other.Service/GetJwks", "/keystead.v1.TokenService/GetJwks?a=b"]
    {
        let response = send(Behaviour::Answer, path, EMPTY_MESSAGE, &[]).await;
        assert_eq!(told(&response), row(Code::Unimplemented, "UNKNOWN_METHOD"), "{path}");
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_no_broken_connection() {
    let response = send(Behaviour::Panic, GET_JWKS, EMPTY_MESSAGE, &[]).await;
    assert_eq!(told(&response), row(Code::Internal, "INTERNAL"));
}

// promise N6
#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_cancels_the_work() {
    for timeout in [&[("grpc-timeout", "50m")][..], &[("grpc-timeout", "1H")], &[]] {
        let (begun, dropped) = (CancellationToken::new(), CancellationToken::new());
        let behaviour = Behaviour::Hang { begun: begun.clone(), dropped: dropped.clone() };
        let response = send(behaviour, GET_JWKS, EMPTY_MESSAGE, timeout).await;
        assert_eq!(told(&response), row(Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
        assert!(begun.is_cancelled() && dropped.is_cancelled());
    }
}
