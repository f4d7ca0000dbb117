//! A client against the issuer for tests: what it accepts, what it refuses, and when it cannot know.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use keystead_client::testing::{FakeIssuer, ManualClock};
use keystead_client::{Ignorance, KeysteadClient, Outcome, Refusal, StalePolicy};

/// Longer than the limit of staleness, shorter than a token's life.
const A_WHILE: Duration = Duration::from_secs(20);

async fn started(policy: StalePolicy) -> (Arc<ManualClock>, FakeIssuer, KeysteadClient) {
    let clock = Arc::new(ManualClock::default());
    let issuer = FakeIssuer::start_with(clock.clone());
    let client = issuer.client("shop").when_stale(policy).start();
    client.ready().await;
    (clock, issuer, client)
}

async fn outcome(client: &KeysteadClient, token: &str) -> Outcome {
    client.verify(token, &client.expectations()).await
}

fn is_active(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Active(_))
}

/// Lets the feed fall behind.
fn grow_stale(clock: &ManualClock, issuer: &FakeIssuer, client: &KeysteadClient) {
    issuer.fall_silent();
    clock.advance(A_WHILE);
    assert!(client.staleness().is_some_and(|staleness| staleness >= A_WHILE));
}

#[tokio::test]
async fn a_good_token_passes_until_its_session_its_user_or_its_key_is_revoked() {
    let (_, issuer, client) = started(StalePolicy::Refuse).await;
    let tokens: [_; 3] = std::array::from_fn(|_| issuer.token("shop"));
    let signed = tokens.each_ref().map(|token| issuer.sign(token));
    for token in &signed {
        assert!(is_active(&outcome(&client, token).await));
    }
    issuer.revoke_session(tokens[0].claims().sid);
    issuer.told(&client).await;
    assert_eq!(outcome(&client, &signed[0]).await, Outcome::Refused(Refusal::Revoked));
    assert!(is_active(&outcome(&client, &signed[1]).await), "another session");
    issuer.revoke_user(tokens[1].claims().sub, 2);
    issuer.told(&client).await;
    assert_eq!(outcome(&client, &signed[1]).await, Outcome::Refused(Refusal::Revoked));
    issuer.revoke_key();
    issuer.told(&client).await;
    assert_ne!(outcome(&client, &signed[2]).await, Outcome::Active(Arc::new(tokens[2].claims().clone())));
    assert!(is_active(&outcome(&client, &issuer.sign(&tokens[2])).await), "by the key that took its place");
}

#[tokio::test]
async fn audiences_roles_times_and_signatures_are_judged() {
    let (clock, issuer, client) = started(StalePolicy::Refuse).await;
    let token = issuer.sign(&issuer.token("bank"));
    assert_eq!(outcome(&client, &token).await, Outcome::Refused(Refusal::WrongAudience));
    let mut expectations = client.expectations();
    expectations.roles.push("admin".to_owned());
    let token = issuer.token("shop");
    let signed = issuer.sign(&token);
    assert_eq!(client.verify(&signed, &expectations).await, Outcome::Refused(Refusal::InsufficientRole));
    assert!(is_active(&client.verify(&issuer.sign(&token.clone().role("admin")), &expectations).await));
    let early = token.clone().with(|claims| claims.nbf += 60);
    assert_eq!(outcome(&client, &issuer.sign(&early)).await, Outcome::Refused(Refusal::NotYetValid));
    let stranger = FakeIssuer::start().sign(&token);
    assert_eq!(outcome(&client, &stranger).await, Outcome::Refused(Refusal::BadSignature));
    clock.advance(Duration::from_secs(700));
    assert_eq!(outcome(&client, &signed).await, Outcome::Refused(Refusal::Expired));
}

#[tokio::test]
async fn a_rotation_is_heard_of_by_the_first_token_of_the_new_key_and_unknown_keys_cost_one_fetch() {
    let (clock, issuer, client) = started(StalePolicy::AcceptUntilExpiry).await;
    issuer.rotate();
    let signed = issuer.sign(&issuer.token("shop"));
    assert!(futures(&client, &signed).await.iter().all(is_active), "everybody waits for the same fetch");
    assert_eq!(issuer.key_fetches(), 2);
    issuer.rotate();
    let signed = issuer.sign(&issuer.token("shop"));
    assert_eq!(outcome(&client, &signed).await, Outcome::Refused(Refusal::UnknownKey), "asked lately");
    assert_eq!(issuer.key_fetches(), 2);
    clock.advance(Duration::from_secs(30));
    assert!(is_active(&outcome(&client, &signed).await));
    assert_eq!(issuer.key_fetches(), 3);
}

async fn futures(client: &KeysteadClient, token: &str) -> Vec<Outcome> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, token) = (client.clone(), token.to_owned());
        tasks.spawn(async move { outcome(&client, &token).await });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn a_stale_feed_refuses_unless_the_policy_says_otherwise() {
    let (clock, issuer, client) = started(StalePolicy::Refuse).await;
    let signed = issuer.sign(&issuer.token("shop"));
    grow_stale(&clock, &issuer, &client);
    assert_eq!(outcome(&client, &signed).await, Outcome::Unknown(Ignorance::StaleFeed));
    assert_eq!(client.verify_now(&signed, &client.expectations()), Outcome::Unknown(Ignorance::StaleFeed));
    issuer.speak();
    client.ready().await;
    issuer.revoke_session(uuid::Uuid::from_u128(1));
    issuer.told(&client).await;
    assert!(is_active(&outcome(&client, &signed).await), "healed");
}

#[tokio::test]
async fn what_is_known_decides_where_tokens_are_accepted_until_they_expire() {
    let (clock, issuer, client) = started(StalePolicy::AcceptUntilExpiry).await;
    let tokens = [issuer.token("shop"), issuer.token("shop")];
    let signed = tokens.each_ref().map(|token| issuer.sign(token));
    issuer.revoke_session(tokens[0].claims().sid);
    issuer.told(&client).await;
    grow_stale(&clock, &issuer, &client);
    assert_eq!(outcome(&client, &signed[0]).await, Outcome::Refused(Refusal::Revoked));
    assert!(is_active(&outcome(&client, &signed[1]).await));
    clock.advance(Duration::from_mins(10));
    assert_eq!(outcome(&client, &signed[1]).await, Outcome::Refused(Refusal::Expired));
}

#[tokio::test]
async fn a_cut_feed_resumes_and_one_whose_cursor_is_too_old_begins_anew() {
    let (_, issuer, client) = started(StalePolicy::Refuse).await;
    let tokens = [issuer.token("shop"), issuer.token("shop")];
    for (token, feeds) in [(&tokens[0], (2, 1)), (&tokens[1], (4, 2))] {
        if feeds == (4, 2) {
            issuer.forget_cursors();
        }
        issuer.fall_silent();
        issuer.cut();
        issuer.revoke_session(token.claims().sid);
        issuer.speak();
        issuer.told(&client).await;
        assert_eq!(outcome(&client, &issuer.sign(token)).await, Outcome::Refused(Refusal::Revoked));
        assert_eq!(issuer.feeds(), feeds);
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_on_a_connection_that_lives_is_begun_anew_from_its_cursor() {
    let (_clock, issuer, _client) = started(StalePolicy::Refuse).await;
    issuer.fall_silent();
    let another = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while issuer.feeds().0 == 1 {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(A_WHILE, another).await.expect("another stream");
    assert_eq!(issuer.feeds(), (2, 1));
}

#[tokio::test]
async fn before_anything_is_heard_nothing_is_accepted() {
    let issuer = FakeIssuer::start();
    let signed = issuer.sign(&issuer.token("shop"));
    let client = issuer.client("shop").start();
    assert_eq!(client.verify_now(&signed, &client.expectations()), Outcome::Unknown(Ignorance::NoKeys));
    assert_eq!(client.staleness(), None);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_stay_as_they_were() {
    let (clock, issuer, client) = started(StalePolicy::AcceptUntilExpiry).await;
    let before = issuer.sign(&issuer.token("shop"));
    issuer.go_away();
    issuer.rotate();
    let after = issuer.sign(&issuer.token("shop"));
    assert_eq!(outcome(&client, &after).await, Outcome::Refused(Refusal::UnknownKey));
    assert!(issuer.key_fetches() > 1, "it was asked for");
    assert!(is_active(&outcome(&client, &before).await));
    issuer.come_back();
    clock.advance(Duration::from_secs(30));
    assert!(is_active(&outcome(&client, &after).await));
    assert!(is_active(&outcome(&client, &before).await), "the old key is still published");
}

#[tokio::test]
async fn after_a_key_is_revoked_the_keys_are_looked_at_six_times_in_fifteen_seconds() {
    let (_, issuer, _client) = started(StalePolicy::Refuse).await;
    assert_eq!(issuer.key_fetches(), 1);
    // From here on time passes whenever nobody has anything to do.
    tokio::time::pause();
    let revoked_at = tokio::time::Instant::now();
    issuer.revoke_key();
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut looks = Vec::new();
    while revoked_at.elapsed() < Duration::from_mins(1) {
        ticks.tick().await;
        looks.resize(issuer.key_fetches() - 1, revoked_at.elapsed().as_secs());
    }
    // In seconds since the revocation; a message on its way takes some of the time that passes by itself.
    let due = [0, 0, 1, 3, 7, 15];
    let in_time = looks.iter().zip(due).all(|(look, due)| (due..due + 3).contains(look));
    assert!(looks.len() == due.len() && in_time, "{looks:?}");
}

/// Ends the stream at hand, and waits for word by the next one.
async fn next_stream(issuer: &FakeIssuer, client: &KeysteadClient, end: impl FnOnce(&FakeIssuer)) {
    issuer.fall_silent();
    end(issuer);
    issuer.revoke_session(issuer.token("shop").claims().sid);
    issuer.speak();
    issuer.told(client).await;
}

#[tokio::test]
async fn a_bearer_is_kept_until_it_has_little_to_live() {
    let (clock, issuer, client) = started(StalePolicy::Refuse).await;
    clock.advance(Duration::from_secs(539));
    next_stream(&issuer, &client, FakeIssuer::cut).await;
    assert_eq!((issuer.feeds().0, issuer.bearers()), (2, 1));
    clock.advance(Duration::from_secs(1));
    next_stream(&issuer, &client, FakeIssuer::cut).await;
    assert_eq!((issuer.feeds().0, issuer.bearers()), (3, 2), "renewed a minute before it expires");
}

#[tokio::test]
async fn a_bearer_that_is_taken_no_longer_is_renewed_and_the_feed_resumes() {
    let (_, issuer, client) = started(StalePolicy::Refuse).await;
    next_stream(&issuer, &client, FakeIssuer::refuse_bearers).await;
    assert_eq!((issuer.feeds(), issuer.bearers()), ((2, 1), 2), "from its cursor");
}
