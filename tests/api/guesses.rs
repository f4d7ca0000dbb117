//! The limits on guessing: what is shared, what is cleared, and who can be locked out by whom.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::{Backend, Client, Failure, Keystead, Person, Setup, WRONG_PASSWORD, on_each_backend};

const NOBODY: &str = "nobody@example.com";

/// A Keystead that takes every guess to be hashed, so that limits alone refuse. Redis has time on a loaded machine:
/// where it does not answer, each replica limits by itself, which is another promise.
fn setup(backend: Backend) -> Setup {
    Setup::on(backend)
        .replicas(backend.replicas())
        .with("passwords.queue", "1000")
        .with("redis.timeout", "\"1s\"")
        .with("grpc.max_streams", "300")
}

/// The limit that is tested; it does not refill while the test runs.
fn limited(setup: Setup, limit: &str, burst: u32) -> Setup {
    setup.with(&format!("limits.{limit}_burst"), &burst.to_string()).with(&format!("limits.{limit}_period"), "\"1d\"")
}

/// Where the tests' own calls are believed when they say where they come from.
fn behind_a_proxy(setup: Setup) -> Setup {
    setup.with("grpc.trusted_proxies", "['127.0.0.1']")
}

/// Guesses one after the other, from the source that `source` gives for each; how many were judged.
async fn guess(clients: &[Client; 2], email: &str, count: usize, source: impl Fn(usize) -> String) -> usize {
    let mut judged = 0;
    for number in 0..count {
        let answer = clients[number % 2].log_in_from(&source(number), email, WRONG_PASSWORD).await;
        judged += usize::from(is_judged(&answer.expect_err("a wrong password")));
    }
    judged
}

/// So many at once that a loaded machine may leave some unanswered, and Redis be too late for others.
const GUESSES: usize = 200;

/// How many guesses are under way at a time where Redis must answer each in time, however loaded the machine is.
const FEW: usize = 8;

/// Many guesses, a few at a time: just the budget is judged.
async fn guess_many(clients: &[Client; 2], budget: usize, target: impl Fn(usize) -> (String, String)) {
    assert_eq!(judged_of_many(clients, FEW, target).await, budget);
}

/// Many guesses over both clients in turn, each at the address and from the source that `target` gives; how many were
/// judged.
async fn judged_of_many(clients: &[Client; 2], at_once: usize, target: impl Fn(usize) -> (String, String)) -> usize {
    let places = Arc::new(Semaphore::new(at_once));
    let mut guesses = JoinSet::new();
    for number in 0..GUESSES {
        let (client, places, (email, source)) = (clients[number % 2].clone(), places.clone(), target(number));
        guesses.spawn(async move {
            let _place = places.acquire().await.expect("never closed");
            client.log_in_from(&source, &email, WRONG_PASSWORD).await
        });
    }
    let answers = guesses.join_all().await;
    answers.iter().filter(|answer| is_judged(answer.as_ref().expect_err("a wrong password"))).count()
}

/// Whether the caller learned what the password is worth; who was not let so far is told when to come back.
fn is_judged(failure: &Failure) -> bool {
    if failure.reason == "INVALID_CREDENTIALS" {
        return true;
    }
    if failure.is_busy() {
        return false;
    }
    failure.is(Code::ResourceExhausted, "RATE_LIMITED");
    assert!(failure.retry_after.is_some_and(|wait| !wait.is_zero()), "{failure:?}");
    false
}

fn stranger(number: usize) -> String {
    format!("198.51.{}.{}", 100 + number / 250, 1 + number % 250)
}

fn from(source: &'static str) -> impl Fn(usize) -> String {
    move |_| source.to_owned()
}

// promises L1, L3
async fn parallel_guesses_of_one_source_never_exceed_its_budget(backend: Backend) {
    let keystead = limited(setup(backend), "per_account_and_source", 10).start().await;
    let clients = keystead.pair().await;
    let person = Person::new("target");
    person.register(&clients[0]).await;
    for email in [person.email.as_str(), NOBODY] {
        guess_many(&clients, 10, |_| (email.to_owned(), "203.0.113.1".to_owned())).await;
        assert_eq!(guess(&clients, email, 4, from("203.0.113.1")).await, 0);
    }
}

// promises L1, L3
async fn a_flood_of_guesses_has_one_budget_on_one_replica_whether_or_not_redis_answers_in_time(backend: Backend) {
    let keystead = limited(setup(backend).replicas(1), "per_account_and_source", 10).start().await;
    let clients = keystead.pair().await;
    let judged = judged_of_many(&clients, GUESSES, |_| (NOBODY.to_owned(), String::new())).await;
    keystead.servers.flush_redis();
    let after_a_flush = judged_of_many(&clients, GUESSES, |_| (NOBODY.to_owned(), String::new())).await;
    assert!((1..=10).contains(&(judged + after_a_flush)), "{judged} guesses were judged, then {after_a_flush}");
}

// promises L1, L3
async fn a_flood_of_guesses_has_one_budget_a_replica_at_the_very_most(backend: Backend) {
    let keystead = limited(setup(backend), "per_account_and_source", 10).start().await;
    let judged = judged_of_many(&keystead.pair().await, GUESSES, |_| (NOBODY.to_owned(), String::new())).await;
    assert!((1..=10 * backend.replicas()).contains(&judged), "{judged} guesses were judged");
}

// promises L1, L3
async fn parallel_guesses_of_many_sources_never_exceed_the_budget_of_the_account(backend: Backend) {
    let keystead = limited(behind_a_proxy(setup(backend)), "per_account", 10).start().await;
    let clients = keystead.pair().await;
    let person = Person::new("target");
    person.register(&clients[0]).await;
    for email in [person.email.as_str(), NOBODY] {
        guess_many(&clients, 10, |number| (email.to_owned(), stranger(number))).await;
        assert_eq!(guess(&clients, email, 4, stranger).await, 0);
    }
}

// promises L1, L3
async fn parallel_guesses_at_many_accounts_never_exceed_the_budget_of_the_source(backend: Backend) {
    let keystead = limited(behind_a_proxy(setup(backend)), "per_source", 10).start().await;
    let clients = keystead.pair().await;
    // One network of IPv6 is one source, whatever address of it is used.
    let target = |number| (format!("account{number}@example.com"), format!("2001:db8::{:x}", 1 + number));
    guess_many(&clients, 10, target).await;
    assert_eq!(
        guess(&clients, NOBODY, 1, from("2001:db8:0:1::1")).await,
        1,
        "the next network has a budget of its own"
    );
}

// promises L1, L3
async fn a_success_clears_the_count_of_the_account_and_not_that_of_the_source(backend: Backend) {
    let keystead = limited(behind_a_proxy(setup(backend)), "per_source", 8);
    let keystead = limited(keystead, "per_account_and_source", 3).start().await;
    let clients = keystead.pair().await;
    let person = Person::new("ada");
    person.register(&clients[0]).await;
    for _ in 0..2 {
        assert_eq!(guess(&clients, &person.email, 2, from("203.0.113.1")).await, 2);
        let owner = clients[1].log_in_from("203.0.113.1", &person.email, &person.password);
        owner.await.expect("the third attempt of three");
    }
    assert_eq!(guess(&clients, &person.email, 3, from("203.0.113.1")).await, 2, "the source had eight, six are spent");
    let elsewhere = guess(&clients, NOBODY, 1, from("203.0.113.1"));
    assert_eq!(elsewhere.await, 0, "a source that has spent its budget has none for other accounts");
}

// promise L2
async fn strangers_cannot_lock_the_owner_out_of_a_known_source(backend: Backend) {
    let setup = limited(behind_a_proxy(setup(backend)), "per_account", 15).with("limits.max_failures", "20");
    let keystead = limited(setup, "per_account_and_source", 5).start().await;
    let clients = keystead.pair().await;
    let person = Person::new("owner");
    person.register(&clients[0]).await;
    let (email, password) = (person.email.as_str(), person.password.as_str());
    clients[0].log_in_from("203.0.113.1", email, password).await.expect("the owner's first sign-in from there");
    assert_eq!(guess(&clients, email, 30, stranger).await, 15);
    let failure = clients[0].log_in_from("192.0.2.200", email, password).await.expect_err("a new source waits");
    failure.is(Code::ResourceExhausted, "RATE_LIMITED");
    assert_eq!(guess(&clients, email, 4, from("203.0.113.1")).await, 4, "the owner may mistype");
    clients[1].log_in_from("203.0.113.1", email, password).await.expect("the owner is let in");
    assert_eq!(guess(&clients, email, 10, from("203.0.113.1")).await, 5, "a known source is limited like any other");
}

/// Failures in a row after which nobody new is let in, by default.
const CAP: usize = 100;

// promises L1, L2
async fn the_cap_of_failures_outlives_redis_and_restarts_until_a_reset_lifts_it(backend: Backend) {
    let mut keystead = behind_a_proxy(setup(backend)).start().await;
    let person = Person::new("target");
    person.register(&keystead.client().await).await;
    for email in [person.email.as_str(), NOBODY] {
        let mut judged = 0;
        for _ in 0..3 {
            judged += guess(&keystead.pair().await, email, 40, stranger).await;
            keystead.servers.flush_redis();
            keystead.restart().await;
        }
        assert_eq!(judged, CAP, "{email}");
        assert_eq!(guess(&keystead.pair().await, email, 10, stranger).await, 0, "the cap does not lift by itself");
    }
    let told = keystead.rows().await.events("authn_login_lock").await;
    assert!((2..=16).contains(&told), "told once an address, replica, start and minute: {told}");
    let [here, there] = keystead.pair().await;
    let failure = here.log_in_from("192.0.2.200", &person.email, &person.password).await.expect_err("a new source");
    failure.is(Code::ResourceExhausted, "RATE_LIMITED");
    here.ask_for_reset(&person.email).await.expect("taken");
    let token = keystead.mailbox().reset_token(&person.email).await;
    there.set_password(&token, "fresh paint on the boathouse").await.expect("a new password");
    let owner = here.log_in_from("192.0.2.200", &person.email, "fresh paint on the boathouse");
    owner.await.expect("the reset has lifted the cap");
}

// promise L4
async fn a_forged_source_without_trust_changes_nothing(backend: Backend) {
    let keystead = limited(setup(backend), "per_account_and_source", 10).start().await;
    let clients = keystead.pair().await;
    let person = Person::new("target");
    person.register(&clients[0]).await;
    assert_eq!(guess(&clients, &person.email, 50, stranger).await, 10);
}

// promise L4
async fn what_stands_before_the_address_that_the_proxy_saw_changes_nothing(backend: Backend) {
    let keystead = limited(behind_a_proxy(setup(backend)), "per_account_and_source", 10).start().await;
    let clients = keystead.pair().await;
    let person = Person::new("target");
    person.register(&clients[0]).await;
    let forged = |number| format!("{}, 203.0.113.1", stranger(number));
    assert_eq!(guess(&clients, &person.email, 50, forged).await, 10);
    let mapped = guess(&clients, &person.email, 5, from("::ffff:203.0.113.1"));
    assert_eq!(mapped.await, 0, "an IPv4 address is the same source when it is written as IPv6");
}

// promises L1, G2
async fn throttling_is_told_once_a_key_and_minute(backend: Backend) {
    let keystead = limited(setup(backend).replicas(1), "per_account_and_source", 2).start().await;
    let (clients, rows) = (keystead.pair().await, keystead.rows().await);
    let told = || rows.events("excess_rate_limit_exceeded");
    assert_eq!(guess(&clients, NOBODY, 30, from("203.0.113.1")).await, 2);
    assert_eq!(told().await, 1);
    assert_eq!(guess(&clients, "somebody@example.com", 30, from("203.0.113.1")).await, 2);
    assert_eq!(told().await, 2, "another key is told by itself");
    keystead.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(guess(&clients, NOBODY, 30, from("203.0.113.1")).await, 0);
    assert_eq!(told().await, 3, "and again after a minute");
}

/// No table and no event may name whom was guessed at.
// promises L1, D1
async fn what_is_counted_of_an_unknown_address_names_nobody(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let (client, rows) = (keystead.client().await, keystead.rows().await);
    client.log_in(NOBODY, WRONG_PASSWORD).await.expect_err("nobody has this address");
    assert_eq!(rows.number("SELECT count(*) FROM login_failures WHERE length(account_key) = 32").await, 1);
    let naming = format!("SELECT count(*) FROM audit_events WHERE detail LIKE '%{NOBODY}%' OR subject IS NOT NULL");
    assert_eq!((rows.events("authn_login_fail").await, rows.number(&naming).await), (1, 0));
}

on_each_backend!(
    parallel_guesses_of_one_source_never_exceed_its_budget,
    a_flood_of_guesses_has_one_budget_on_one_replica_whether_or_not_redis_answers_in_time,
    a_flood_of_guesses_has_one_budget_a_replica_at_the_very_most,
    parallel_guesses_of_many_sources_never_exceed_the_budget_of_the_account,
    parallel_guesses_at_many_accounts_never_exceed_the_budget_of_the_source,
    a_success_clears_the_count_of_the_account_and_not_that_of_the_source,
    strangers_cannot_lock_the_owner_out_of_a_known_source,
    the_cap_of_failures_outlives_redis_and_restarts_until_a_reset_lifts_it,
    a_forged_source_without_trust_changes_nothing,
    what_stands_before_the_address_that_the_proxy_saw_changes_nothing,
    throttling_is_told_once_a_key_and_minute,
    what_is_counted_of_an_unknown_address_names_nobody,
);
