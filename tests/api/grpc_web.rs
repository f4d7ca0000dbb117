//! gRPC-Web: browsers on pages of the origins that are named, and nobody else.

pub mod browser;
mod web_client;

use std::time::Duration;

use http::{Method, StatusCode};
use keystead::grpc::pb::login_response;
use keystead::grpc::pb::{GetMeRequest, GetMeResponse, LoginRequest, LoginResponse, VerifyTokenRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use self::web_client::{WebAnswer, WebClient};
use crate::harness::{Backend, Keystead, Person, Setup, on_each_backend};

const ORIGIN: &str = "https://app.example.com";
const OTHER: &str = "https://evil.example.com";
const LOGIN: &str = "/keystead.v1.AuthService/Login";
const GET_ME: &str = "/keystead.v1.AccountService/GetMe";

async fn open(backend: Backend) -> Keystead {
    Setup::on(backend).with("grpc.web_origins", &format!("[\"{ORIGIN}\"]")).start().await
}

fn login(person: &Person, password: &str) -> LoginRequest {
    LoginRequest { email: person.email.clone(), password: password.to_owned(), ..LoginRequest::default() }
}

fn access_token(answer: &WebAnswer) -> String {
    match answer.message::<LoginResponse>().result.expect("a result") {
        login_response::Result::TokenSet(set) => set.access_token,
        login_response::Result::MfaChallenge(challenge) => panic!("a second factor is asked for: {challenge:?}"),
    }
}

async fn a_page_signs_in_and_sees_the_account(backend: Backend) {
    let keystead = open(backend).await;
    let person = Person::new("ada");
    person.register(&keystead.client().await).await;
    let mut web = WebClient::connect(keystead.replica(0).grpc).await;
    let signed_in = web.call(LOGIN, &login(&person, &person.password), &[("origin", ORIGIN)]).await;
    assert_eq!((signed_in.http, signed_in.status().as_deref()), (StatusCode::OK, Some("0")), "{signed_in:?}");
    assert_eq!(signed_in.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(signed_in.header("content-type"), Some("application/grpc-web+proto"));
    let bearer = format!("Bearer {}", access_token(&signed_in));
    let me = web.call(GET_ME, &GetMeRequest {}, &[("origin", ORIGIN), ("authorization", &bearer)]).await;
    assert_eq!(me.message::<GetMeResponse>().user.expect("the account").email, person.email);
}

async fn an_error_reaches_the_page_with_its_details(backend: Backend) {
    let keystead = open(backend).await;
    let mut web = WebClient::connect(keystead.replica(0).grpc).await;
    let refused = web.call(LOGIN, &login(&Person::new("nobody"), "wrong"), &[("origin", ORIGIN)]).await;
    assert_eq!((refused.http, refused.status().as_deref()), (StatusCode::OK, Some("16")), "{refused:?}");
    let exposed = refused.header("access-control-expose-headers").expect("what may be read");
    for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
        assert!(exposed.contains(name) && refused.said(name).is_some(), "{name}: {refused:?}");
    }
    let nobody = web.call(GET_ME, &GetMeRequest {}, &[("origin", ORIGIN)]).await;
    assert_eq!(nobody.status().as_deref(), Some("16"), "{nobody:?}");
}

async fn only_pages_of_the_named_origins_are_let_in(backend: Backend) {
    let keystead = open(backend).await;
    let mut web = WebClient::connect(keystead.replica(0).grpc).await;
    let asking =
        [("access-control-request-method", "POST"), ("access-control-request-headers", "content-type,x-grpc-web")];
    let yes = web.send(Method::OPTIONS, LOGIN, &[&[("origin", ORIGIN)], &asking[..]].concat(), Vec::new()).await;
    assert_eq!((yes.http, yes.header("access-control-allow-origin")), (StatusCode::OK, Some(ORIGIN)));
    assert_eq!(yes.header("access-control-allow-methods"), Some("POST"));
    let allowed = yes.header("access-control-allow-headers").expect("headers");
    assert!(["authorization", "content-type", "x-grpc-web", "grpc-timeout"].iter().all(|name| allowed.contains(name)));
    for origin in
        [OTHER, "null", "https://app.example.com.evil.example", "http://app.example.com", "https://APP.example.com"]
    {
        let no = web.send(Method::OPTIONS, LOGIN, &[&[("origin", origin)], &asking[..]].concat(), Vec::new()).await;
        assert_eq!(no.header("access-control-allow-origin"), None, "{origin}");
    }
    let unread = web.call(LOGIN, &login(&Person::new("nobody"), "wrong"), &[("origin", OTHER)]).await;
    assert_eq!(unread.header("access-control-allow-origin"), None, "the page may not read it");
}

async fn http1_carries_grpc_web_alone_and_within_the_limits(backend: Backend) {
    let keystead = open(backend).await;
    let mut web = WebClient::connect(keystead.replica(0).grpc).await;
    let grpc = [("content-type", "application/grpc")];
    let refused = web.send(Method::POST, LOGIN, &grpc, Vec::new()).await;
    assert_eq!(refused.http, StatusCode::HTTP_VERSION_NOT_SUPPORTED);
    let large = VerifyTokenRequest { access_token: "x".repeat(70_000), ..VerifyTokenRequest::default() };
    let refused = web.call("/keystead.v1.AuthService/VerifyToken", &large, &[]).await;
    assert_eq!(refused.status().as_deref(), Some("8"), "{refused:?}");
    let mut web = WebClient::connect(keystead.replica(0).grpc).await;
    let refused = web
        .call(
            "/keystead.v1.AuthService/VerifyToken",
            &VerifyTokenRequest::default(),
            &[("x-large", &"x".repeat(20_000))],
        )
        .await;
    assert_eq!(refused.http, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let mut web = WebClient::connect(keystead.replica(0).grpc).await;
    let unknown = web.call("/keystead.v1.AuthService/Nothing", &VerifyTokenRequest::default(), &[]).await;
    assert_eq!(unknown.status().as_deref(), Some("12"), "{unknown:?}");
}

// promise N4
#[tokio::test]
async fn a_request_of_http1_that_never_ends_is_cut_off_within_30_seconds() {
    let keystead = open(Backend::Sqlite).await;
    for unfinished in ["POST / HTTP/1.1\r\n", "POST /keystead.v1.AuthService/Login HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut connection = TcpStream::connect(keystead.replica(0).grpc).await.expect("a connection");
        connection.write_all(unfinished.as_bytes()).await.expect("written");
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), connection.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "{unfinished}");
    }
}

async fn it_is_off_until_an_origin_is_named(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let mut connection = TcpStream::connect(keystead.replica(0).grpc).await.expect("a connection");
    let request =
        format!("POST {LOGIN} HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web\r\ncontent-length: 0\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap_or_default();
    assert!(!answer.starts_with(b"HTTP/1"), "{}", String::from_utf8_lossy(&answer));
}

on_each_backend!(
    a_page_signs_in_and_sees_the_account,
    an_error_reaches_the_page_with_its_details,
    only_pages_of_the_named_origins_are_let_in,
    http1_carries_grpc_web_alone_and_within_the_limits,
    it_is_off_until_an_origin_is_named,
);
