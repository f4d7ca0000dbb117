//! `Refresh` under contention, and after what a running service goes through.

use keystead::grpc::pb::{TokenSet, TokenStatus};
use std::collections::BTreeSet;

use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::{Backend, Client, Failure, Keystead, Person, Setup, on_each_backend, until};

const ROUNDS: usize = 50;
const USES: usize = 64;
const HOUR: i64 = 3_600_000;
/// Longer than the grace window, in milliseconds. The wall clock alone is stepped by it, so that nothing grows stale.
const PAST_GRACE: i64 = 11_000;

async fn refused(client: &Client, refresh_token: &str) {
    let failure = client.use_refresh_token(refresh_token).await.expect_err("a refusal");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
}

/// Uses one token many times at once, over both clients in turn.
async fn use_at_once(clients: &[Client; 2], token: &str) -> Vec<Result<String, Failure>> {
    let mut uses = JoinSet::new();
    for number in 0..USES {
        let (client, token) = (clients[number % 2].clone(), token.to_owned());
        uses.spawn(async move { client.use_refresh_token(&token).await.map(|set| set.refresh_token) });
    }
    uses.join_all().await
}

fn count(round: usize) -> i64 {
    i64::try_from(round).expect("a small number")
}

/// Asks on where a loaded machine could not answer in time, as a client does: within the grace window every use ends in
/// the successor.
async fn successor(client: &Client, token: &str, answer: Result<String, Failure>) -> String {
    let mut answer = answer;
    while answer.as_ref().is_err_and(Failure::is_busy) {
        answer = client.use_refresh_token(token).await.map(|set| set.refresh_token);
    }
    answer.expect("a successor")
}

// promises R2, R4, R5
async fn concurrent_uses_take_one_step_and_all_get_the_one_successor(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).with("sessions.grace", "\"1m\"").start().await;
    let (clients, rows) = (keystead.pair().await, keystead.rows().await);
    let mut token = Person::new("ada").register(&clients[0]).await.set.refresh_token;
    for round in 1..=ROUNDS {
        let mut successors = BTreeSet::new();
        for answer in use_at_once(&clients, &token).await {
            successors.insert(successor(&clients[0], &token, answer).await);
        }
        assert_eq!(successors.len(), 1, "round {round}: a second branch lives");
        assert_eq!(rows.number("SELECT generation FROM sessions").await, count(round), "more than one use made a step");
        token = successors.pop_first().expect("the one successor");
    }
}

// promises R2, R3, R4
async fn without_grace_one_of_concurrent_uses_wins_and_the_others_end_the_session(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).with("sessions.grace", "\"0s\"").start().await;
    let (clients, rows) = (keystead.pair().await, keystead.rows().await);
    for round in 1..=ROUNDS {
        let token = Person::new("ada").register(&clients[0]).await.set.refresh_token;
        let (won, lost): (Vec<_>, Vec<_>) = use_at_once(&clients, &token).await.into_iter().partition(Result::is_ok);
        let (busy, lost): (Vec<_>, Vec<_>) = lost.into_iter().filter_map(Result::err).partition(Failure::is_busy);
        // The winner may be among those that could not be answered in time.
        assert!(won.len() == 1 || (won.is_empty() && !busy.is_empty()), "round {round}: {} winners", won.len());
        lost.iter().for_each(|failure| failure.is(Code::Unauthenticated, "INVALID_TOKEN"));
        if !lost.is_empty() {
            let ended = (rows.live_sessions().await, rows.events("authn_token_reuse").await);
            assert_eq!(ended, (0, count(round)), "round {round}: whoever was refused has ended the session");
        }
        refused(&clients[round % 2], &token).await;
        for successor in won.into_iter().filter_map(Result::ok) {
            refused(&clients[0], &successor).await;
            refused(&clients[1], &successor).await;
        }
        assert_eq!(rows.live_sessions().await, 0);
        assert_eq!(
            rows.events("authn_token_reuse").await,
            count(round),
            "one replay ends a session, the others find it ended"
        );
    }
}

// promise R3
async fn a_replay_is_committed_and_audited_though_the_call_fails(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let ([here, there], rows) = (keystead.pair().await, keystead.rows().await);
    let first = Person::new("ada").register(&here).await.set;
    let second = here.use_refresh_token(&first.refresh_token).await.expect("a successor");
    keystead.clock.step(PAST_GRACE);
    assert_eq!((rows.live_sessions().await, rows.events("authn_token_reuse").await), (1, 0));
    refused(&here, &first.refresh_token).await;
    assert_eq!((rows.live_sessions().await, rows.events("authn_token_reuse").await), (0, 1));
    assert_eq!(rows.number("SELECT count(*) FROM revocations WHERE kind = 'session'").await, 1);
    let of_the_session = "SELECT count(*) FROM audit_events a JOIN sessions s ON s.id = a.session \
        WHERE a.kind = 'authn_token_reuse' AND a.outcome = 'failure' AND a.subject = s.user_id AND a.actor IS NULL";
    assert_eq!(rows.number(of_the_session).await, 1, "the event names session and user, and blames nobody");
    refused(&here, &second.refresh_token).await;
    refused(&there, &second.refresh_token).await;
    assert_eq!(here.status_of(&second.access_token).await, TokenStatus::Revoked);
    until("the other replica to refuse", || async {
        there.status_of(&second.access_token).await == TokenStatus::Revoked
    })
    .await;
}

/// A session in its third generation: the first token is evidence of theft, the third the live one.
async fn third_generation(client: &Client) -> [TokenSet; 3] {
    let first = Person::new("ada").register(client).await.set;
    let second = client.use_refresh_token(&first.refresh_token).await.expect("a successor");
    let third = client.use_refresh_token(&second.refresh_token).await.expect("a successor");
    [first, second, third]
}

/// The live token goes on, the successor of the last one used is still the same, and a replay ends it all.
async fn nothing_was_forgotten(clients: &[Client; 2], [first, _, third]: &[TokenSet; 3]) {
    let fourth = clients[0].use_refresh_token(&third.refresh_token).await.expect("a successor");
    let again = clients[1].use_refresh_token(&third.refresh_token).await.expect("the same successor");
    assert_eq!(fourth.refresh_token, again.refresh_token);
    refused(&clients[1], &first.refresh_token).await;
    refused(&clients[0], &fourth.refresh_token).await;
    assert_eq!(clients[1].status_of(&fourth.access_token).await, TokenStatus::Revoked);
}

// promise R6
async fn a_restart_of_every_replica_forgets_nothing(backend: Backend) {
    let mut keystead = Setup::on(backend).replicas(backend.replicas()).with("sessions.grace", "\"1m\"").start().await;
    let tokens = third_generation(&keystead.client().await).await;
    keystead.restart().await;
    nothing_was_forgotten(&keystead.pair().await, &tokens).await;
    keystead.restart().await;
    for client in keystead.pair().await {
        refused(&client, &tokens[2].refresh_token).await;
        assert_eq!(client.status_of(&tokens[2].access_token).await, TokenStatus::Revoked);
    }
}

// promise R6
async fn a_flushed_redis_forgets_nothing(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).with("sessions.grace", "\"1m\"").start().await;
    let clients = keystead.pair().await;
    let tokens = third_generation(&clients[0]).await;
    keystead.servers.flush_redis();
    nothing_was_forgotten(&clients, &tokens).await;
    keystead.servers.flush_redis();
    refused(&clients[1], &tokens[2].refresh_token).await;
    assert_eq!(clients[0].status_of(&tokens[2].access_token).await, TokenStatus::Revoked);
}

// promise R6
async fn a_clock_stepped_either_way_ends_no_session_and_hides_no_replay(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).with("sessions.grace", "\"1m\"").start().await;
    let clients = keystead.pair().await;
    for step in [HOUR, -HOUR, -HOUR, HOUR] {
        let [first, second, third] = third_generation(&clients[0]).await;
        keystead.clock.step(step);
        let fourth = clients[1].use_refresh_token(&third.refresh_token).await.expect("a step ends no session");
        refused(&clients[0], &first.refresh_token).await;
        for token in [&second, &third, &fourth] {
            refused(&clients[1], &token.refresh_token).await;
        }
    }
}

// promises R5, R6
async fn a_clock_stepped_back_opens_no_longer_grace_window(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let [_, second, third] = third_generation(&client).await;
    keystead.clock.step(PAST_GRACE - HOUR);
    refused(&client, &second.refresh_token).await;
    refused(&client, &third.refresh_token).await;
}

on_each_backend!(
    concurrent_uses_take_one_step_and_all_get_the_one_successor,
    without_grace_one_of_concurrent_uses_wins_and_the_others_end_the_session,
    a_replay_is_committed_and_audited_though_the_call_fails,
    a_restart_of_every_replica_forgets_nothing,
    a_flushed_redis_forgets_nothing,
    a_clock_stepped_either_way_ends_no_session_and_hides_no_replay,
    a_clock_stepped_back_opens_no_longer_grace_window,
);
