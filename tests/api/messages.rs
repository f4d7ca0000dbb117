//! Requests that are no gRPC, messages that are none, and deadlines: each refused in the words of the contract.

use std::time::Duration;

use http::{Method, Request, StatusCode, Uri};
use keystead::grpc::pb::{BatchVerifyTokensRequest, LoginRequest, VerifyTokenRequest};
use prost::Message as _;
use tonic::Code;

use crate::harness::bare::{self, Bare, framed};
use crate::harness::{Backend, Failure, Keystead, Person, Setup, on_each_backend};

const LOGIN: &str = "/keystead.v1.AuthService/Login";
const GET_JWKS: &str = "/keystead.v1.TokenService/GetJwks";
/// No call takes longer than 30 seconds unless set otherwise.
const LONG_BEFORE_THE_CAP: Duration = Duration::from_secs(20);
const BATCH: &str = "/keystead.v1.AuthService/BatchVerifyTokens";

async fn start() -> (Keystead, Bare) {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let bare = Bare::connect(keystead.replica(0).grpc).await.expect("a connection");
    (keystead, bare)
}

/// Sends a message in its frame; the refusal, which must carry the id of its trace.
async fn refused(bare: &Bare, path: &str, body: Vec<u8>) -> Failure {
    let refusal = bare.send(bare.call(path), body).await.refusal();
    assert_eq!(refusal.trace_id.as_ref().map(String::len), Some(32), "{refusal:?}");
    refusal
}

fn timed(bare: &Bare, path: &str, timeout: &str) -> Request<()> {
    let mut request = bare.call(path);
    request.headers_mut().insert("grpc-timeout", timeout.parse().expect("a value"));
    request
}

// promise N2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_call_of_grpc_gets_a_status_of_http() {
    let (_keystead, bare) = start().await;
    let mut get = bare.call(GET_JWKS);
    *get.method_mut() = Method::GET;
    assert_eq!(bare.send(get, Vec::new()).await.http, StatusCode::METHOD_NOT_ALLOWED);
    for content_type in ["application/json", "application/grpc-web", "text/plain"] {
        let mut request = bare.call(GET_JWKS);
        request.headers_mut().insert("content-type", content_type.parse().expect("a value"));
        let answer = bare.send(request, framed(&[])).await;
        assert_eq!(answer.http, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
    }
    let mut nameless = bare.call(GET_JWKS);
    nameless.headers_mut().remove("content-type");
    assert_eq!(bare.send(nameless, framed(&[])).await.http, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_is_exact_and_bears_no_query() {
    let (_keystead, bare) = start().await;
    for path in ["/", "/keystead.v1.TokenService/getjwks", "/keystead.v1.TokenService/GetJwks/"] {
        refused(&bare, path, framed(&[])).await.is(Code::Unimplemented, "UNKNOWN_METHOD");
    }
    let mut request = bare.call(GET_JWKS);
    *request.uri_mut() = format!("{}?a=b", request.uri()).parse::<Uri>().expect("a target");
    bare.send(request, framed(&[])).await.refusal().is(Code::Unimplemented, "UNKNOWN_METHOD");
    assert!(bare.send(bare.call(GET_JWKS), framed(&[])).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_message_are_the_callers_fault() {
    let (_keystead, bare) = start().await;
    let two = [framed(&[]), framed(&[])].concat();
    for (name, path, body) in [
        ("an unknown wire type", LOGIN, framed(&[0x0f])),
        ("a length beyond the end", LOGIN, framed(&[0x0a, 0x7f, b'a'])),
        ("text that is not UTF-8", LOGIN, framed(&[0x0a, 0x02, 0xc3, 0x28])),
        ("a number that never ends", LOGIN, framed(&[0xff; 11])),
        ("nothing", LOGIN, Vec::new()),
        ("half a prefix", LOGIN, vec![0, 0, 0]),
        ("half a message", LOGIN, vec![0, 0, 0, 0, 9, 0x0a]),
        ("an unknown flag", LOGIN, vec![7, 0, 0, 0, 0]),
        ("compressed without a word", LOGIN, vec![1, 0, 0, 0, 0]),
        ("two messages", GET_JWKS, two),
    ] {
        let refusal = refused(&bare, path, body).await;
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::InvalidArgument, "MALFORMED_MESSAGE"), "{name}");
        assert!(!refusal.message.contains("LoginRequest") && !refusal.message.contains("email"), "{refusal:?}");
    }
}

/// A login whose message is exactly so long.
fn login_of(bytes: usize) -> Vec<u8> {
    let request = |length: usize| LoginRequest { password: "x".repeat(length), ..LoginRequest::default() };
    let overhead = request(bytes).encoded_len() - bytes;
    request(bytes - overhead).encode_to_vec()
}

/// A batch whose message is exactly so long.
fn batch_of(bytes: usize) -> Vec<u8> {
    let batch = |length: usize| {
        let verify = VerifyTokenRequest { access_token: "x".repeat(length), ..VerifyTokenRequest::default() };
        BatchVerifyTokensRequest { requests: vec![verify] }
    };
    let overhead = batch(bytes).encoded_len() - bytes;
    batch(bytes - overhead).encode_to_vec()
}

// promise N2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_read_up_to_their_limit_and_not_a_byte_further() {
    let (_keystead, bare) = start().await;
    let (small, large) = (64 * 1024, 1024 * 1024);
    assert_eq!((login_of(small).len(), batch_of(large).len()), (small, large));
    // Read, and then found wanting.
    refused(&bare, LOGIN, framed(&login_of(small))).await.is(Code::InvalidArgument, "INVALID_FIELDS");
    refused(&bare, LOGIN, framed(&login_of(small + 1))).await.is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    assert!(bare.send(bare.call(BATCH), framed(&batch_of(large))).await.is_ok());
    refused(&bare, BATCH, framed(&batch_of(large + 1))).await.is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    // Judged by the length that is announced: of four gigabytes not one byte has to come.
    refused(&bare, LOGIN, vec![0, 0xff, 0xff, 0xff, 0xff]).await.is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    assert!(bare.send(bare.call(GET_JWKS), framed(&[])).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_message_is_refused() {
    let (_keystead, bare) = start().await;
    let mut request = bare.call(GET_JWKS);
    request.headers_mut().insert("grpc-encoding", "gzip".parse().expect("a value"));
    let answer = bare.send(request, framed(&[])).await;
    answer.refusal().is(Code::Unimplemented, "UNSUPPORTED_ENCODING");
    assert_eq!(answer.headers["grpc-accept-encoding"], "identity");
}

// promise N6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_ends_at_its_callers_deadline_and_others_go_on() {
    let (_keystead, bare) = start().await;
    for timeout in ["300m", "1n", "0S"] {
        // The message never comes.
        let (response, _body) = bare.begin(timed(&bare, LOGIN, timeout)).await.expect("a begun call");
        assert!(bare.send(bare.call(GET_JWKS), framed(&[])).await.is_ok());
        let answer = tokio::time::timeout(LONG_BEFORE_THE_CAP, bare::whole(response)).await;
        let refusal = answer.expect("the deadline counts").expect("an answer").refusal();
        refusal.is(Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
        assert!(refusal.trace_id.is_some(), "{refusal:?}");
    }
}

// promise N6
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_takes_longer_than_the_cap_whatever_its_caller_asks_for() {
    let keystead = Setup::on(Backend::Sqlite).with("grpc.max_deadline", "'300ms'").start().await;
    let bare = Bare::connect(keystead.replica(0).grpc).await.expect("a connection");
    for timeout in ["99999999H", "99999999999999999999S", "-1S", "soon", "1e9S", "5"] {
        let (response, _body) = bare.begin(timed(&bare, LOGIN, timeout)).await.expect("a begun call");
        let answer = tokio::time::timeout(LONG_BEFORE_THE_CAP, bare::whole(response)).await;
        let refusal = answer.expect("the cap counts").expect("an answer").refusal();
        refusal.is(Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
        assert!(bare.send(timed(&bare, GET_JWKS, timeout), framed(&[])).await.is_ok(), "{timeout}");
    }
}

// promise N6
async fn a_deadline_far_off_changes_nothing(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let person = Person::new("patient");
    person.register(&keystead.client().await).await;
    let bare = Bare::connect(keystead.replica(0).grpc).await.expect("a connection");
    let login = LoginRequest { email: person.email, password: person.password, ..LoginRequest::default() };
    assert!(bare.send(timed(&bare, LOGIN, "99999999H"), framed(&login.encode_to_vec())).await.is_ok());
}

on_each_backend!(a_deadline_far_off_changes_nothing);
