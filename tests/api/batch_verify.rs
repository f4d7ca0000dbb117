//! `BatchVerifyTokens`: as many single verdicts, in their order.

use std::time::Duration;

use keystead::grpc::pb::{BatchVerifyTokensRequest, LogoutScope, TokenStatus, VerifyTokenRequest, VerifyTokenResponse};
use tonic::Code;

use crate::harness::{Backend, Client, Failure, Keystead, Person, on_each_backend};

/// The most tokens of a batch.
const MOST: usize = 1_000;

fn request(access_token: &str) -> VerifyTokenRequest {
    VerifyTokenRequest { access_token: access_token.to_owned(), ..VerifyTokenRequest::default() }
}

async fn batch(client: &Client, requests: Vec<VerifyTokenRequest>) -> Result<Vec<VerifyTokenResponse>, Failure> {
    client.batch_verify_tokens(BatchVerifyTokensRequest { requests }).await.map(|answer| answer.verdicts)
}

async fn a_thousand_tokens_are_answered_in_their_order(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada").register(&client).await;
    let bob = Person::new("bob").register(&client).await;
    let cases = |number: usize| match number % 5 {
        0 => (request(&ada.set.access_token), TokenStatus::Active),
        1 => (request("none"), TokenStatus::Malformed),
        2 => (request(&bob.set.access_token), TokenStatus::Active),
        3 => (request(&ada.set.refresh_token), TokenStatus::WrongType),
        _ => {
            let roles = vec!["admin".to_owned()];
            (
                VerifyTokenRequest { required_roles: roles, ..request(&bob.set.access_token) },
                TokenStatus::InsufficientRole,
            )
        }
    };
    let verdicts = batch(&client, (0..MOST).map(|number| cases(number).0).collect()).await.expect("verdicts");
    assert_eq!(verdicts.len(), MOST);
    for (number, verdict) in verdicts.iter().enumerate() {
        assert_eq!(verdict.status(), cases(number).1, "{number}");
        let subject = verdict.claims.as_ref().map(|claims| claims.0.sub.to_string());
        let expected = match number % 5 {
            0 => Some(ada.user.id.clone()),
            2 => Some(bob.user.id.clone()),
            _ => None,
        };
        assert_eq!(subject, expected, "{number}");
        let kept = Duration::try_from(verdict.cacheable_for.expect("a span")).expect("a positive span");
        assert!(kept <= Duration::from_secs(1), "{number}");
        assert!(verdict.revocation_state_time.is_some(), "{number}");
    }
}

async fn a_batch_of_one_says_what_a_single_call_says(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    let single = client.verdict(&token).await.expect("a verdict");
    let batched = batch(&client, vec![request(&token)]).await.expect("verdicts").remove(0);
    assert_eq!((single.status(), single.claims), (batched.status(), batched.claims));
    assert!(batch(&client, Vec::new()).await.expect("no verdicts").is_empty());
}

// promise T8
async fn a_logout_counts_in_the_next_batch(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let set = Person::new("ada").register(&client).await.set;
    let status = async || batch(&client, vec![request(&set.access_token); 100]).await.expect("verdicts");
    assert!(status().await.iter().all(|verdict| verdict.status() == TokenStatus::Active));
    client.log_out(&set.refresh_token, LogoutScope::ThisSession).await.expect("logged out");
    assert!(status().await.iter().all(|verdict| verdict.status() == TokenStatus::Revoked));
}

// promise N2
async fn too_many_tokens_and_too_many_bytes_are_refused_whole(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let failure = batch(&client, vec![request("none"); MOST + 1]).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["requests"]);
    let with_roles = |count| VerifyTokenRequest { required_roles: vec!["role".to_owned(); count], ..request("none") };
    let requests = vec![with_roles(33), with_roles(32), with_roles(40)];
    let failure = batch(&client, requests).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["requests[0].required_roles", "requests[2].required_roles"]);
    let within = vec![request(&"x".repeat(1_000)); MOST];
    assert_eq!(batch(&client, within).await.expect("verdicts").len(), MOST);
    let beyond = vec![request(&"x".repeat(1_100)); MOST];
    let failure = batch(&client, beyond).await.expect_err("a refusal");
    failure.is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
}

on_each_backend!(
    a_thousand_tokens_are_answered_in_their_order,
    a_batch_of_one_says_what_a_single_call_says,
    a_logout_counts_in_the_next_batch,
    too_many_tokens_and_too_many_bytes_are_refused_whole,
);
