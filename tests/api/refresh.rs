//! `Refresh`: one use, one winner, no second life.

use std::time::Duration;

use keystead::grpc::pb::TokenStatus;
use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::{Backend, Client, Keystead, Person, Setup, on_each_backend};

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

// promise R4
async fn of_64_concurrent_uses_over_two_replicas_exactly_one_rotates(backend: Backend) {
    let keystead = Setup::on(backend).replicas(2).start().await;
    let clients = [keystead.client_of(0).await, keystead.client_of(1).await];
    let mut token = Person::new("ada").register(&clients[0]).await.set.refresh_token;
    for round in 0..50 {
        let mut uses = JoinSet::new();
        for number in 0..64 {
            let (client, token) = (clients[number % 2].clone(), token.clone());
            uses.spawn(async move { client.use_refresh_token(&token).await.expect("within the grace window") });
        }
        let mut successors: Vec<String> = uses.join_all().await.into_iter().map(|set| set.refresh_token).collect();
        successors.sort();
        successors.dedup();
        assert_eq!(successors.len(), 1, "round {round}: two live branches");
        token = successors.remove(0);
    }
}

// promises R3, R4
async fn without_grace_64_concurrent_uses_have_at_most_one_winner_and_end_the_session(backend: Backend) {
    let keystead = Setup::on(backend).replicas(2).with("sessions.grace", "\"0s\"").start().await;
    let clients = [keystead.client_of(0).await, keystead.client_of(1).await];
    for round in 0..50 {
        let token = Person::new("ada").register(&clients[0]).await.set.refresh_token;
        let mut uses = JoinSet::new();
        for number in 0..64 {
            let (client, token) = (clients[number % 2].clone(), token.clone());
            uses.spawn(async move { client.use_refresh_token(&token).await });
        }
        let (won, lost): (Vec<_>, Vec<_>) = uses.join_all().await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}");
        for failure in lost.into_iter().filter_map(Result::err) {
            failure.is(Code::Unauthenticated, "INVALID_TOKEN");
        }
        for set in won.into_iter().filter_map(Result::ok) {
            refused(&clients[1], &set.refresh_token).await;
        }
    }
}

// promise R9
async fn every_prefix_and_every_one_byte_change_is_refused_and_harms_nothing(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let token = Person::new("ada").register(&client).await.set.refresh_token;
    for length in 0..token.len() {
        refused(&client, &token[..length]).await;
    }
    for at in 0..token.len() {
        for replacement in ['A', 'b', '7', '-', '=', '.', '\u{e9}'] {
            if token[at..].starts_with(replacement) {
                continue;
            }
            refused(&client, &format!("{}{replacement}{}", &token[..at], &token[at + 1..])).await;
        }
    }
    refused(&client, &format!("{token}A")).await;
    client.use_refresh_token(&token).await.expect("the token itself still works");
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
    keystead.clock.advance(Duration::from_secs(90 * 60));
    let kept =
        crate::harness::eventually("a rotation", || async { client.use_refresh_token(&kept.refresh_token).await.ok() })
            .await;
    keystead.clock.advance(Duration::from_secs(45 * 60));
    refused(&client, &idle.refresh_token).await;
    keystead.clock.advance(Duration::from_secs(46 * 60));
    refused(&client, &kept.refresh_token).await;
}

on_each_backend!(
    a_replayed_token_ends_the_whole_session,
    within_the_grace_window_a_lost_answer_is_given_again,
    without_a_grace_window_every_second_use_is_a_replay,
    of_64_concurrent_uses_over_two_replicas_exactly_one_rotates,
    without_grace_64_concurrent_uses_have_at_most_one_winner_and_end_the_session,
    every_prefix_and_every_one_byte_change_is_refused_and_harms_nothing,
    sessions_and_replay_evidence_survive_a_restart,
    an_idle_session_ends_and_so_does_an_old_one,
);
