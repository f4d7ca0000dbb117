//! What all endpoints have in common: methods, bodies, limits, and nothing ambiguous.

use crate::harness::oauth::{FORM, OAuth};
use crate::harness::{Backend, Keystead, Setup, http_get, http_send, on_each_backend};

const DOORS: [&str; 3] = ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"];

// promise H4
async fn what_is_no_form_in_a_body_is_not_read(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let oauth = keystead.oauth();
    let address = keystead.replica(0).http;
    for door in DOORS {
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            let answer = http_send(address, &format!("{method} {door}"), &[], "").await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {door}");
        }
        oauth.raw(door, &[("content-type", "application/json")], "{}").await.is(415, "invalid_request");
        oauth.raw(door, &[], "token=x").await.is(415, "invalid_request");
        oauth.raw(door, &[FORM, FORM], "token=x").await.is(415, "invalid_request");
        oauth.raw(&format!("{door}?token=x"), &[FORM], "grant_type=refresh_token").await.is(400, "invalid_request");
        for body in ["token=x&token=y", "token=x&token=x", "token=x&moon=1&moon=2", "", "%00=%ff", "token"] {
            oauth.raw(door, &[FORM], body).await.is(400, "invalid_request");
        }
        let two = ("authorization", "Basic eDp5");
        let body = "token=x&grant_type=client_credentials";
        oauth.raw(door, &[FORM, two, two], body).await.is(400, "invalid_request");
        oauth.raw(door, &[FORM, two], &format!("{body}&client_secret=y")).await.is(400, "invalid_request");
        for broken in ["Basic", "Basic !", "Basic eA==", "Digest x", "moon"] {
            oauth.raw(door, &[FORM, ("authorization", broken)], body).await.is(401, "invalid_client");
        }
    }
}

// promises H4, N2
async fn a_body_of_more_than_64_kib_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let oauth = keystead.oauth();
    let body = |length: usize| format!("moon={}", "x".repeat(length - 5));
    for door in DOORS {
        oauth.raw(door, &[FORM], &body(64 * 1024)).await.is(400, "invalid_request");
        oauth.raw(door, &[FORM], &body(64 * 1024 + 1)).await.is(413, "invalid_request");
        let chunk = body(64 * 1024 + 1);
        let chunked = format!("{:x}\r\n{chunk}\r\n0\r\n\r\n", chunk.len());
        let headers = [FORM, ("transfer-encoding", "chunked")];
        let answer = http_send(keystead.replica(0).http, &format!("POST {door}"), &headers, &chunked).await;
        assert_eq!(answer.status, 413, "{answer:?}");
    }
}

// promise N1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_loopback_nothing_takes_a_secret_in_clear_text_unless_that_is_asked_for() {
    for (allowed, status) in [("false", 404), ("true", 401)] {
        let keystead = Setup::on(Backend::Sqlite)
            .with("http.listen", "'0.0.0.0:0'")
            .with("http.allow_cleartext", allowed)
            .start()
            .await;
        let port = keystead.replica(0).http.port();
        let address = std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port));
        let body = "token=x&client_id=a&client_secret=b&grant_type=client_credentials";
        let length = body.len().to_string();
        for door in DOORS {
            let headers = [FORM, ("content-length", length.as_str())];
            assert_eq!(http_send(address, &format!("POST {door}"), &headers, body).await.status, status, "{door}");
        }
        let described = http_get(address, "/.well-known/oauth-authorization-server", &[]).await.status;
        assert_eq!(described == 200, allowed == "true", "only what works is described");
        let begun = http_get(address, "/oauth/idp/start", &[]).await.status;
        assert_eq!(begun, if allowed == "true" { 400 } else { 404 }, "the way to a provider");
        assert_eq!(http_get(address, "/.well-known/jwks.json", &[]).await.status, 200);
        assert_eq!(http_get(address, "/livez", &[]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_once_are_answered_each() {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let OAuth(address) = keystead.oauth();
    let asked = (0..64).map(|_| OAuth(address).raw("/oauth2/revoke", &[FORM], "token=x"));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}

on_each_backend!(what_is_no_form_in_a_body_is_not_read, a_body_of_more_than_64_kib_is_refused);
