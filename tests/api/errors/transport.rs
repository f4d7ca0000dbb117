//! The errors that every RPC has in common: messages that are none, too large or too late, and the trace they belong to.

use http::uri::PathAndQuery;
use keystead::grpc::pb;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

use super::{CANARY, Client, Failure, complete};
use crate::harness::{Backend, Keystead, on_each_backend};

const METHODS: [&str; 11] = [
    "/keystead.v1.AuthService/Register",
    "/keystead.v1.AuthService/Login",
    "/keystead.v1.AuthService/Refresh",
    "/keystead.v1.AuthService/Logout",
    "/keystead.v1.AuthService/VerifyToken",
    "/keystead.v1.AuthService/BatchVerifyTokens",
    "/keystead.v1.AuthService/RequestReset",
    "/keystead.v1.AuthService/ConfirmReset",
    "/keystead.v1.AuthService/RequestEmailVerification",
    "/keystead.v1.AuthService/ConfirmEmail",
    "/keystead.v1.TokenService/GetJwks",
];

/// Sends any message to any method.
async fn send<M: prost::Message + 'static>(
    client: &Client,
    path: &'static str,
    request: Request<M>,
) -> Option<Failure> {
    let mut grpc = tonic::client::Grpc::new(client.channel.clone());
    grpc.ready().await.expect("a connection");
    let codec = ProstCodec::<M, ()>::default();
    grpc.unary(request, PathAndQuery::from_static(path), codec).await.err().map(Failure::checked)
}

async fn a_message_of_another_type_is_malformed(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for path in METHODS.into_iter().filter(|path| !path.ends_with("GetJwks")) {
        // A number where each of them has text or a message.
        let message = prost_types::Duration { seconds: 1, nanos: 0 };
        let failure = send(&client, path, Request::new(message)).await.expect(path);
        complete(&failure, Code::InvalidArgument, "MALFORMED_MESSAGE");
    }
}

// promise N2
async fn a_message_over_the_limit_is_too_large_and_names_no_delay(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for path in METHODS {
        let limit = if path.ends_with("BatchVerifyTokens") { 1 << 20 } else { 64 << 10 };
        let message = pb::RefreshRequest { refresh_token: "x".repeat(limit + 1) };
        let failure = send(&client, path, Request::new(message)).await.expect(path);
        complete(&failure, Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    }
}

async fn an_unknown_method_is_said_to_be_unknown(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for path in [
        "/keystead.v1.AuthService/canary-9f3c",
        "/keystead.v1.AuthService/login",
        "/keystead.v1.AuthService/Login/",
        "/keystead.v1.canary-9f3c/Login",
        "/keystead.v2.AuthService/Login",
        "/",
    ] {
        let failure = send(&client, path, Request::new(())).await.expect(path);
        complete(&failure, Code::Unimplemented, "UNKNOWN_METHOD");
    }
}

// promise N6
async fn a_deadline_that_passes_is_said_to_have_passed(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let message = pb::LoginRequest { email: "a@example.com".into(), password: "x".into(), ..Default::default() };
    let mut request = Request::new(message);
    request.metadata_mut().insert("grpc-timeout", MetadataValue::from_static("1n"));
    let failure = send(&client, "/keystead.v1.AuthService/Login", request).await.expect("too late");
    // tonic's own client also reads the deadline and may be the first to give up; it tells no reason.
    assert!(matches!(failure.code, Code::DeadlineExceeded | Code::Cancelled), "{failure:?}");
    if !failure.reason.is_empty() {
        complete(&failure, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
    }
}

async fn a_refusal_names_the_trace_that_the_caller_named(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let refused = async |traceparent: &str| {
        let mut request = Request::new(pb::RefreshRequest { refresh_token: CANARY.to_owned() });
        request.metadata_mut().insert("traceparent", traceparent.parse().expect("ASCII"));
        let failure = send(&client, "/keystead.v1.AuthService/Refresh", request).await.expect("a refusal");
        complete(&failure, Code::Unauthenticated, "INVALID_TOKEN");
        failure.trace_id.expect("RequestInfo")
    };
    assert_eq!(refused(&format!("00-{trace_id}-00f067aa0ba902b7-01")).await, trace_id);
    for bad in [CANARY, "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4BF92F-00f067aa0ba902b7-01"] {
        let told = refused(bad).await;
        assert!(told != trace_id && told != "0".repeat(32), "{bad}: {told}");
    }
}

on_each_backend!(
    a_message_of_another_type_is_malformed,
    a_message_over_the_limit_is_too_large_and_names_no_delay,
    an_unknown_method_is_said_to_be_unknown,
    a_deadline_that_passes_is_said_to_have_passed,
    a_refusal_names_the_trace_that_the_caller_named,
);
