//! What a client asks the service about while its feed is stale, and what it does not.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use keystead_client::testing::{FakeIssuer, ManualClock};
use keystead_client::{Ignorance, KeysteadClient, Outcome, Refusal, StalePolicy};

/// Longer than the limit of staleness, shorter than the keys are recent.
const A_WHILE: Duration = Duration::from_secs(20);
/// Long enough for tasks that have something to do to have done it.
const TURNS: usize = 1_000;

/// A client whose feed has fallen behind.
async fn stale() -> (Arc<ManualClock>, FakeIssuer, KeysteadClient) {
    let clock = Arc::new(ManualClock::default());
    let issuer = FakeIssuer::start_with(clock.clone());
    let client = issuer.client("shop").when_stale(StalePolicy::FallBackToVerifyToken).start();
    client.ready().await;
    grow_stale(&clock, &issuer);
    (clock, issuer, client)
}

fn grow_stale(clock: &ManualClock, issuer: &FakeIssuer) {
    issuer.fall_silent();
    clock.advance(A_WHILE);
}

async fn outcome(client: &KeysteadClient, token: &str) -> Outcome {
    client.verify(token, &client.expectations()).await
}

fn is_active(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Active(_))
}

/// Questions about these tokens, as tasks.
fn ask(client: &KeysteadClient, tokens: Vec<String>) -> tokio::task::JoinSet<Outcome> {
    let mut tasks = tokio::task::JoinSet::new();
    for token in tokens {
        let client = client.clone();
        tasks.spawn(async move { outcome(&client, &token).await });
    }
    tasks
}

fn good(issuer: &FakeIssuer, count: usize) -> Vec<String> {
    (0..count).map(|_| issuer.sign(&issuer.token("shop"))).collect()
}

/// Tokens that are like good ones, each of a key that nobody knows.
fn garbage(issuer: &FakeIssuer, count: usize) -> Vec<String> {
    let stranger = FakeIssuer::start();
    let signed = |_| {
        stranger.rotate();
        stranger.sign(&issuer.token("shop"))
    };
    (0..count).map(signed).collect()
}

/// Waits until so many questions are out, and for those that should not be.
async fn until_asked(issuer: &FakeIssuer, count: usize) {
    let asked = async {
        while issuer.verifications() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.expect("the service is asked");
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    assert_eq!(issuer.verifications(), count);
}

#[tokio::test]
async fn the_service_is_asked_about_tokens_while_the_feed_is_stale_and_its_verdict_kept_for_a_second() {
    let (clock, issuer, client) = stale().await;
    let token = issuer.token("shop");
    let signed = issuer.sign(&token);
    for _ in 0..3 {
        assert!(is_active(&outcome(&client, &signed).await));
    }
    assert_eq!(issuer.verifications(), 1);
    issuer.revoke_session(token.claims().sid);
    clock.advance(Duration::from_secs(1));
    assert_eq!(outcome(&client, &signed).await, Outcome::Refused(Refusal::Revoked));
    assert_eq!(issuer.verifications(), 2);
    assert_eq!(client.verify_now(&signed, &client.expectations()), Outcome::Unknown(Ignorance::StaleFeed));
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_known_to_be_bad_however_stale_the_feed() {
    let (clock, issuer, client) = stale().await;
    let token = issuer.token("shop");
    issuer.speak();
    issuer.revoke_session(token.claims().sid);
    issuer.told(&client).await;
    grow_stale(&clock, &issuer);
    assert_eq!(outcome(&client, &issuer.sign(&token)).await, Outcome::Refused(Refusal::Revoked));
    assert_eq!(outcome(&client, "abc").await, Outcome::Refused(Refusal::Malformed));
    assert_eq!(issuer.verifications(), 0);
}

#[tokio::test]
async fn sixty_four_questions_are_out_at_once_and_the_others_wait_for_their_turn() {
    let (_, issuer, client) = stale().await;
    issuer.hold();
    let tasks = ask(&client, good(&issuer, 80));
    until_asked(&issuer, 64).await;
    issuer.release();
    assert!(tasks.join_all().await.iter().all(is_active));
    assert_eq!(issuer.verifications(), 80);
}

#[tokio::test]
async fn equal_questions_are_one() {
    let (_, issuer, client) = stale().await;
    issuer.hold();
    let tasks = ask(&client, vec![issuer.sign(&issuer.token("shop")); 80]);
    until_asked(&issuer, 1).await;
    issuer.release();
    let outcomes = tasks.join_all().await;
    assert!(outcomes.len() == 80 && outcomes.iter().all(is_active));
    assert_eq!(issuer.verifications(), 1);
}

#[tokio::test]
async fn tokens_of_unknown_keys_are_refused_unasked_while_the_keys_are_recent() {
    let (_, issuer, client) = stale().await;
    issuer.hold();
    let refused = Outcome::Refused(Refusal::UnknownKey);
    let outcomes = ask(&client, garbage(&issuer, 200)).join_all().await;
    assert!(outcomes.iter().all(|outcome| *outcome == refused), "{outcomes:?}");
    let tasks = ask(&client, good(&issuer, 1));
    until_asked(&issuer, 1).await;
    issuer.release();
    assert!(tasks.join_all().await.iter().all(is_active));
}

#[tokio::test]
async fn tokens_of_unknown_keys_take_no_turn_of_a_good_one_while_the_keys_are_old() {
    let (clock, issuer, client) = stale().await;
    clock.advance(A_WHILE);
    issuer.go_away();
    issuer.hold();
    let mut unknown = ask(&client, garbage(&issuer, 200));
    until_asked(&issuer, 4).await;
    let tasks = ask(&client, good(&issuer, 1));
    until_asked(&issuer, 5).await;
    issuer.come_back();
    issuer.release();
    assert!(tasks.join_all().await.iter().all(is_active));
    unknown.abort_all();
}

#[tokio::test]
async fn what_is_no_token_is_refused_unasked_before_the_keys_are_there() {
    let issuer = FakeIssuer::start();
    issuer.go_away();
    let client = issuer.client("shop").when_stale(StalePolicy::FallBackToVerifyToken).start();
    for token in ["", "abc", "a.b.c"] {
        assert_eq!(outcome(&client, token).await, Outcome::Refused(Refusal::Malformed), "{token}");
    }
    assert_eq!(issuer.verifications(), 0);
    let signed = issuer.sign(&issuer.token("shop"));
    assert_eq!(outcome(&client, &signed).await, Outcome::Unknown(Ignorance::NoAnswer));
    assert_eq!(issuer.verifications(), 1);
}

#[tokio::test]
async fn a_service_that_does_not_answer_leaves_a_token_unknown_after_two_seconds() {
    let (_, issuer, client) = stale().await;
    issuer.hold();
    let signed = issuer.sign(&issuer.token("shop"));
    // From here on time passes whenever nobody has anything to do.
    tokio::time::pause();
    let asked_at = tokio::time::Instant::now();
    assert_eq!(outcome(&client, &signed).await, Outcome::Unknown(Ignorance::NoAnswer));
    assert_eq!(asked_at.elapsed().as_secs(), 2);
}
