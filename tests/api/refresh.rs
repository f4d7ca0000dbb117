//! `Refresh`: one use, one winner, no second life.

use std::time::Duration;

use keystead::grpc::pb::TokenStatus;
use tonic::Code;

use crate::harness::{Backend, Client, Keystead, Person, Setup, eventually, on_each_backend};

async fn refused(client: &Client, refresh_token: &str) {
    let failure = client.use_refresh_token(refresh_token).await.expect_err("a refusal");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
}

// promises R2, R3
async fn a_replayed_token_ends_the_whole_session(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let first = Person::new("ada").register(&client).await.set;
    let second = client.use_refresh_token(&first.refresh_token).await.expect("a successor");
    let third = client.use_refresh_token(&second.refresh_token).await.expect("a successor");
    assert_eq!(first.session_id, third.session_id);
    refused(&client, &first.refresh_token).await;
    refused(&client, &third.refresh_token).await;
    assert_eq!(client.status_of(&third.access_token).await, TokenStatus::Revoked);
}

// promise R5
async fn within_the_grace_window_a_lost_answer_is_given_again(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let first = Person::new("ada").register(&client).await.set;
    let second = client.use_refresh_token(&first.refresh_token).await.expect("a successor");
    let again = client.use_refresh_token(&first.refresh_token).await.expect("the same successor");
    assert_eq!(second.refresh_token, again.refresh_token);
    keystead.clock.advance(Duration::from_secs(11));
    refused(&client, &first.refresh_token).await;
    refused(&client, &second.refresh_token).await;
}

// promise R5
async fn without_a_grace_window_every_second_use_is_a_replay(backend: Backend) {
    let keystead = Setup::on(backend).with("sessions.grace", "\"0s\"").start().await;
    let client = keystead.client().await;
    let first = Person::new("ada").register(&client).await.set;
    let second = client.use_refresh_token(&first.refresh_token).await.expect("a successor");
    refused(&client, &first.refresh_token).await;
    refused(&client, &second.refresh_token).await;
}

// promise R6
async fn sessions_and_replay_evidence_survive_a_restart(backend: Backend) {
    let mut keystead = Keystead::start(backend).await;
    let first = Person::new("ada").register(&keystead.client().await).await.set;
    keystead.restart().await;
    let client = keystead.client().await;
    assert_eq!(client.status_of(&first.access_token).await, TokenStatus::Active);
    let second = client.use_refresh_token(&first.refresh_token).await.expect("a successor");
    let third = client.use_refresh_token(&second.refresh_token).await.expect("a successor");
    keystead.restart().await;
    let client = keystead.client().await;
    refused(&client, &first.refresh_token).await;
    refused(&client, &third.refresh_token).await;
    assert_eq!(client.status_of(&third.access_token).await, TokenStatus::Revoked);
}

// promise R7
async fn an_idle_session_ends_and_so_does_an_old_one(backend: Backend) {
    let keystead = Setup::on(backend)
        .with("sessions.idle_lifetime", "\"2h\"")
        .with("sessions.absolute_lifetime", "\"3h\"")
        .with("keys.reload_interval", "\"200ms\"")
        .start()
        .await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let idle = person.register(&client).await.set;
    let kept = person.log_in(&client).await.expect("tokens");
    keystead.clock.advance(Duration::from_mins(90));
    let kept = eventually("a rotation", || async { client.use_refresh_token(&kept.refresh_token).await.ok() }).await;
    for (later, ended) in [(45, idle), (46, kept)] {
        keystead.clock.advance(Duration::from_mins(later));
        // A leap of the clock leaves the key ring stale until it is read again.
        eventually("fresh keys", || async { person.log_in(&client).await.ok() }).await;
        refused(&client, &ended.refresh_token).await;
    }
}

on_each_backend!(
    a_replayed_token_ends_the_whole_session,
    within_the_grace_window_a_lost_answer_is_given_again,
    without_a_grace_window_every_second_use_is_a_replay,
    sessions_and_replay_evidence_survive_a_restart,
    an_idle_session_ends_and_so_does_an_old_one,
);
