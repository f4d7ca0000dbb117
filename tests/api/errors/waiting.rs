//! What is refused for now alone: budgets that are spent, passwords that queue, a database that is away.

use std::time::Duration;

use keystead::grpc::pb::LogoutScope;
use tokio::task::JoinSet;
use tonic::Code;

use super::{Client, Failure, complete, nobodys_token};
use crate::harness::{Backend, Person, Setup, WRONG_PASSWORD, on_each_backend};

const HOUR: Duration = Duration::from_hours(1);
const PASSWORD: &str = "fresh paint on the boathouse";

/// Every call that spends from the one budget of its source, with a secret that is wrong.
async fn guesses(client: &Client) -> Vec<(&'static str, Option<Failure>)> {
    vec![
        ("Register", client.register(Person::new("new").registration()).await.err()),
        ("Login", client.log_in("a@example.com", WRONG_PASSWORD).await.err()),
        ("Refresh", client.use_refresh_token(&nobodys_token("ksr_")).await.err()),
        ("Logout", client.log_out(&nobodys_token("ksr_"), LogoutScope::AllSessions).await.err()),
        ("ConfirmReset", client.set_password(&nobodys_token("kspr_"), PASSWORD).await.err()),
        ("ConfirmEmail", client.verify_email(&nobodys_token("ksev_")).await.err()),
    ]
}

// promise L1
async fn a_spent_budget_refuses_every_secret_and_says_until_when(backend: Backend) {
    let keystead = Setup::on(backend)
        .with("limits.per_source_burst", "1")
        .with("limits.per_source_period", "\"1h\"")
        .start()
        .await;
    let client = keystead.client().await;
    let set = Person::new("ada").register(&client).await.set;
    for (rpc, failure) in guesses(&client).await {
        let failure = failure.unwrap_or_else(|| panic!("{rpc} was not refused"));
        complete(&failure, Code::ResourceExhausted, "RATE_LIMITED");
        let after = failure.retry_after.expect("RetryInfo");
        assert!(after > HOUR / 2 && after <= HOUR, "{rpc}: {after:?}");
    }
    client.use_refresh_token(&set.refresh_token).await.expect("a real token is no guess");
}

async fn a_spent_budget_of_mail_is_told_for_every_address_alike(backend: Backend) {
    let keystead = Setup::on(backend)
        .with("limits.mail_per_source_burst", "2")
        .with("limits.mail_per_source_period", "\"1h\"")
        .start()
        .await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    client.ask_for_reset(&person.email).await.expect("the first");
    client.ask_for_verification("nobody@example.com").await.expect("the second");
    for email in [person.email.as_str(), "nobody@example.com"] {
        for failure in [client.ask_for_reset(email).await, client.ask_for_verification(email).await] {
            let failure = failure.expect_err("a spent budget");
            complete(&failure, Code::ResourceExhausted, "RATE_LIMITED");
        }
    }
}

// promise P5
async fn a_full_queue_of_passwords_asks_to_come_back_in_a_moment(backend: Backend) {
    let keystead = Setup::on(backend).with("passwords.threads", "1").with("passwords.queue", "1").start().await;
    let client = keystead.client().await;
    let mut logins = JoinSet::new();
    for number in 0..40 {
        let client = client.clone();
        logins.spawn(async move { client.log_in(&format!("n{number}@example.com"), WRONG_PASSWORD).await });
    }
    let failures: Vec<Failure> = logins.join_all().await.into_iter().filter_map(Result::err).collect();
    let (full, judged): (Vec<_>, Vec<_>) = failures.into_iter().partition(|it| it.reason == "HASH_CAPACITY");
    assert!(!full.is_empty() && !judged.is_empty(), "{} refused, {} judged", full.len(), judged.len());
    for failure in &full {
        complete(failure, Code::ResourceExhausted, "HASH_CAPACITY");
        assert!(failure.retry_after.is_some_and(|after| after > Duration::ZERO), "{failure:?}");
    }
    for failure in &judged {
        complete(failure, Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_never_told_as_a_wrong_secret_and_nothing_is_lost() {
    let mut keystead = Setup::on(Backend::OwnPostgresRedis).waits_as_promised().start().await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let set = person.register(&client).await.set;
    let mut postgres = keystead.servers.postgres.take().expect("a cluster of its own");
    postgres.stop();
    let mut told = vec![
        ("Refresh", client.use_refresh_token(&set.refresh_token).await.err()),
        ("Logout", client.log_out(&set.refresh_token, LogoutScope::ThisSession).await.err()),
        ("Login", person.log_in(&client).await.err()),
        ("RequestReset", client.ask_for_reset(&person.email).await.err()),
        ("RequestEmailVerification", client.ask_for_verification(&person.email).await.err()),
    ];
    // A refresh token without a session in its form asks no database.
    let asking = |rpc: &str| !matches!(rpc, "Refresh" | "Logout");
    told.extend(guesses(&client).await.into_iter().filter(|(rpc, _)| asking(rpc)));
    for (rpc, failure) in told {
        let failure = failure.unwrap_or_else(|| panic!("{rpc} was not refused"));
        assert_eq!(failure.reason, "DEPENDENCY_UNAVAILABLE", "{rpc}: {failure:?}");
        complete(&failure, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    }
    assert!(!client.get_jwks(keystead::grpc::pb::GetJwksRequest {}).await.expect("keys from memory").keys.is_empty());
    postgres.start_again();
    crate::harness::eventually("the session to go on", || async {
        client.use_refresh_token(&set.refresh_token).await.ok()
    })
    .await;
    person.log_in(&client).await.expect("the password is right again");
}

on_each_backend!(
    a_spent_budget_refuses_every_secret_and_says_until_when,
    a_spent_budget_of_mail_is_told_for_every_address_alike,
    a_full_queue_of_passwords_asks_to_come_back_in_a_moment,
);
