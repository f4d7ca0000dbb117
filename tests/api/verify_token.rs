//! `VerifyToken` and `BatchVerifyTokens`: a verdict for everything, an error for nothing that a token can be.

use std::time::Duration;

use keystead::grpc::pb::{BatchVerifyTokensRequest, TokenStatus, VerifyTokenRequest};
use tonic::Code;

use crate::harness::{Backend, Keystead, Person, on_each_backend, until};

fn request(access_token: &str) -> VerifyTokenRequest {
    VerifyTokenRequest { access_token: access_token.to_owned(), ..VerifyTokenRequest::default() }
}

async fn an_active_token_comes_with_its_claims_and_a_second_to_keep_them(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let tokens = Person::new("ada").register(&client).await;
    let verdict = client.verdict(&tokens.set.access_token).await.expect("a verdict");
    assert_eq!(verdict.status(), TokenStatus::Active);
    let claims = verdict.claims.expect("claims");
    assert_eq!(claims.subject, tokens.user.id);
    assert_eq!(claims.session_id, tokens.set.session_id);
    assert_eq!(claims.audiences, ["keystead"]);
    assert_eq!(claims.authentication_methods, ["pwd"]);
    assert_eq!(claims.expire_time, tokens.set.access_token_expire_time);
    assert!(!claims.token_id.is_empty() && !claims.client_id.is_empty() && !claims.issuer.is_empty());
    let cacheable = verdict.cacheable_for.expect("a span");
    assert!(cacheable.seconds == 0 || (cacheable.seconds, cacheable.nanos) == (1, 0), "{cacheable:?}");
    assert!(verdict.revocation_state_time.is_some());
}

async fn what_is_expected_beyond_the_token_is_judged_too(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    let for_others = VerifyTokenRequest { expected_audience: "shop".to_owned(), ..request(&token) };
    let for_us = VerifyTokenRequest { expected_audience: "keystead".to_owned(), ..request(&token) };
    let for_admins = VerifyTokenRequest { required_roles: vec!["admin".to_owned()], ..request(&token) };
    for (request, expected) in [
        (for_us, TokenStatus::Active),
        (for_others, TokenStatus::WrongAudience),
        (for_admins, TokenStatus::InsufficientRole),
    ] {
        let verdict = client.verify_token(request).await.expect("a verdict");
        assert_eq!(verdict.status(), expected);
        assert_eq!(verdict.claims.is_some(), expected == TokenStatus::Active, "claims only when active");
    }
}

async fn a_token_expires_after_ten_minutes(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    keystead.clock.advance(Duration::from_secs(10 * 60 + 6));
    until("the token to expire", || async {
        client.verdict(&token).await.is_ok_and(|verdict| verdict.status() == TokenStatus::Expired)
    })
    .await;
}

async fn too_many_required_roles_are_the_callers_fault(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let request = VerifyTokenRequest { required_roles: vec!["role".to_owned(); 33], ..request("x") };
    let failure = client.verify_token(request).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["required_roles"]);
}

async fn a_batch_is_answered_in_its_order(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    let is_good = |number: usize| number.is_multiple_of(3);
    let requests = (0..1_000).map(|number| request(if is_good(number) { &token } else { "none" })).collect();
    let answer = client.batch_verify_tokens(BatchVerifyTokensRequest { requests }).await.expect("verdicts");
    assert_eq!(answer.verdicts.len(), 1_000);
    for (number, verdict) in answer.verdicts.iter().enumerate() {
        let expected = if is_good(number) { TokenStatus::Active } else { TokenStatus::Malformed };
        assert_eq!(verdict.status(), expected, "{number}");
    }
}

async fn a_batch_over_the_limit_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let requests = vec![request("none"); 1_001];
    let failure = client.batch_verify_tokens(BatchVerifyTokensRequest { requests }).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["requests"]);
}

on_each_backend!(
    an_active_token_comes_with_its_claims_and_a_second_to_keep_them,
    what_is_expected_beyond_the_token_is_judged_too,
    a_token_expires_after_ten_minutes,
    too_many_required_roles_are_the_callers_fault,
    a_batch_is_answered_in_its_order,
    a_batch_over_the_limit_is_refused,
);
