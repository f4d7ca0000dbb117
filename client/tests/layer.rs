//! The layer and the interceptor in front of a service: who passes, what a handler finds, what the others are told.

#![cfg(test)]

use std::convert::Infallible;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use keystead_client::testing::{FakeIssuer, Token};
use keystead_client::{Claims, ClaimsExt as _, KeysteadClient, VerifyLayer};
use tonic::service::Interceptor as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::{Layer as _, ServiceExt as _};

async fn started() -> (FakeIssuer, KeysteadClient) {
    let issuer = FakeIssuer::start();
    let client = issuer.client("shop").start();
    client.ready().await;
    (issuer, client)
}

fn request(bearers: &[&str]) -> Request<String> {
    let request = bearers.iter().fold(Request::get("/orders"), |request, it| request.header("authorization", *it));
    request.body("sub=somebody else".to_owned()).unwrap()
}

/// What a service behind the layer answers: who calls, or nobody.
async fn answer(layer: &VerifyLayer, request: Request<String>) -> Response<String> {
    let service = tower::service_fn(|request: Request<String>| async move {
        let caller = request.claims().map_or_else(|_| "nobody".to_owned(), |claims| claims.sub.to_string());
        Ok::<_, Infallible>(Response::new(caller))
    });
    layer.layer(service).oneshot(request).await.unwrap()
}

fn bearer(issuer: &FakeIssuer, token: &Token) -> String {
    format!("Bearer {}", issuer.sign(token))
}

// promise A2
#[tokio::test]
async fn a_handler_finds_who_calls_by_the_token_alone() {
    let (issuer, client) = started().await;
    let token = issuer.token("shop");
    let mut sent = request(&[&bearer(&issuer, &token)]);
    sent.extensions_mut().insert(Arc::new(issuer.token("shop").claims().clone()));
    assert_eq!(*answer(&client.layer(), sent).await.body(), token.claims().sub.to_string());
}

#[tokio::test]
async fn without_one_good_bearer_the_service_is_never_reached() {
    let (issuer, client) = started().await;
    let good = bearer(&issuer, &issuer.token("shop"));
    let other = bearer(&issuer, &issuer.token("bank"));
    for (bearers, challenge) in [
        (&[][..], "Bearer realm=\"shop\""),
        (&[good.as_str(), good.as_str()], "Bearer realm=\"shop\""),
        (&[good.trim_start_matches("Bearer ")], "Bearer realm=\"shop\""),
        (&["Basic abc"], "Bearer realm=\"shop\""),
        (&["Bearer abc"], "Bearer realm=\"shop\", error=\"invalid_token\""),
        (&[other.as_str()], "Bearer realm=\"shop\", error=\"invalid_token\""),
    ] {
        let answer = answer(&client.layer(), request(bearers)).await;
        assert_eq!((answer.status(), answer.body().as_str()), (StatusCode::UNAUTHORIZED, ""), "{bearers:?}");
        assert_eq!(answer.headers()["www-authenticate"], challenge, "{bearers:?}");
    }
}

#[tokio::test]
async fn a_layer_may_ask_for_roles_and_for_another_audience() {
    let (issuer, client) = started().await;
    let token = issuer.token("shop").role("user");
    let sent = bearer(&issuer, &token);
    for (layer, status) in [
        (client.layer().require_role("user"), StatusCode::OK),
        (client.layer().require_role("user").require_role("admin"), StatusCode::FORBIDDEN),
        (client.layer().audience("bank"), StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(answer(&layer, request(&[&sent])).await.status(), status);
    }
}

#[tokio::test]
async fn a_public_path_is_exact_and_has_no_caller() {
    let (issuer, client) = started().await;
    let mut sent = request(&[]);
    sent.extensions_mut().insert(Arc::new(issuer.token("shop").claims().clone()));
    assert_eq!(answer(&client.layer().public("/orders"), sent).await.body(), "nobody");
    for other in ["/order", "/orders/", "/Orders", "orders"] {
        let refused = answer(&client.layer().public(other), request(&[])).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{other}");
    }
}

#[tokio::test]
async fn grpc_is_answered_by_a_status_with_its_reason() {
    let (_, client) = started().await;
    let mut sent = request(&[]);
    sent.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let refused = answer(&client.layer(), sent).await;
    let status = Status::from_header_map(refused.headers()).unwrap();
    let info = status.get_details_error_info().unwrap();
    assert_eq!((refused.status(), status.code()), (StatusCode::OK, Code::Unauthenticated));
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("keystead.v1", "BEARER_REQUIRED"));
}

#[tokio::test]
async fn an_interceptor_lets_the_same_requests_pass() {
    let (issuer, client) = started().await;
    let token = issuer.token("shop").role("user");
    let mut interceptor = client.interceptor().require_role("user");
    let mut sent = tonic::Request::new(());
    sent.metadata_mut().insert("authorization", bearer(&issuer, &token).parse().unwrap());
    let passed = interceptor.call(sent).unwrap();
    assert_eq!(passed.claims().unwrap(), token.claims());
    assert_eq!(passed.extensions().get::<Arc<Claims>>().unwrap().sub, token.claims().sub);
    assert!(passed.require_role("user").is_ok() && passed.require_audience("shop").is_ok());
    assert_eq!(passed.require_role("admin").unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(passed.require_audience("bank").unwrap_err().code(), Code::Unauthenticated);
    let mut stricter = client.interceptor().require_role("admin");
    let mut sent = tonic::Request::new(());
    sent.metadata_mut().insert("authorization", bearer(&issuer, &token).parse().unwrap());
    assert_eq!(stricter.call(sent).unwrap_err().code(), Code::PermissionDenied);
    let refused = interceptor.call(tonic::Request::new(())).unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.metadata().contains_key("www-authenticate"));
}
