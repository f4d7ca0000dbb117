//! What the service does while what it stands on is away, hangs or refuses, and after.

mod contention;
mod disk;
mod lost_answers;
mod neighbours;
mod postgres;
mod redis;

use std::time::Duration;

use keystead::grpc::pb::{LogoutScope, TokenStatus};
use tokio::task::block_in_place;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::{Backend, Client, Failure, Keystead, PROMISED, Person, Setup, WRONG_PASSWORD, until, within};
use crate::support::stopwatch::Stopwatch;

/// Guesses on one account from one source that the lowered limit allows.
const BUDGET: usize = 5;
/// How long an answer may be waited for, whatever the database does.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// By how much Redis may slow one operation.
const REDIS_TIMEOUT: Duration = Duration::from_millis(100);

async fn with_shared_limits() -> Keystead {
    Setup::on(Backend::OwnPostgresRedis)
        .waits_as_promised()
        .replicas(2)
        .with("limits.per_account_and_source_burst", &BUDGET.to_string())
        .with("limits.per_account_and_source_period", "\"1h\"")
        .start()
        .await
}

/// How many of so many guesses were judged; the others were refused as too many, and nothing else happened.
async fn judged(client: &Client, email: &str, guesses: usize) -> usize {
    let mut judged = 0;
    for _ in 0..guesses {
        let failure = client.log_in(email, WRONG_PASSWORD).await.expect_err("a wrong password");
        match failure.reason.as_str() {
            "INVALID_CREDENTIALS" => judged += 1,
            _ => failure.is(Code::ResourceExhausted, "RATE_LIMITED"),
        }
    }
    judged
}

/// What a stranger gets at two replicas together.
async fn judged_by_both(clients: &[Client; 2]) -> usize {
    let email = Person::new("guessed").email;
    judged(&clients[0], &email, BUDGET + 1).await + judged(&clients[1], &email, BUDGET + 1).await
}

async fn limits_are_shared_again(clients: &[Client; 2]) {
    until("limits that both replicas share", || async { judged_by_both(clients).await == BUDGET }).await;
}

/// How long the second replica takes to hear of a logout at the first.
async fn revocation_takes(clients: &[Client; 2], person: &Person) -> Duration {
    let set = person.log_in(&clients[0]).await.expect("tokens");
    assert_eq!(clients[1].status_of(&set.access_token).await, TokenStatus::Active);
    clients[0].log_out(&set.refresh_token, LogoutScope::ThisSession).await.expect("out");
    let watch = Stopwatch::start();
    until("the revocation", || async { clients[1].status_of(&set.access_token).await == TokenStatus::Revoked }).await;
    watch.waited()
}

/// What a login waits for beside its own work.
async fn median_wait(client: &Client, person: &Person) -> Duration {
    let mut spans = Vec::new();
    for _ in 0..9 {
        let watch = Stopwatch::start();
        person.log_in(client).await.expect("a login");
        spans.push(watch.waited());
    }
    spans.sort();
    spans[spans.len() / 2]
}

// promises L1, T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_killed_logins_go_on_under_local_limits_and_sharing_heals_by_itself() {
    let mut keystead = with_shared_limits().await;
    let clients = [keystead.client_of(0).await, keystead.client_of(1).await];
    let person = Person::new("steady");
    person.register(&clients[0]).await;
    assert_eq!(judged_by_both(&clients).await, BUDGET, "one budget while Redis is there");

    block_in_place(|| keystead.servers.redis.as_mut().expect("Redis").kill());
    for client in &clients {
        let email = Person::new("guessed").email;
        assert_eq!(judged(client, &email, 4 * BUDGET).await, BUDGET, "limited, each replica for itself");
        for _ in 0..2 * BUDGET {
            person.log_in(client).await.expect("a login without Redis");
        }
    }
    let mut spans = Vec::new();
    for _ in 0..5 {
        spans.push(revocation_takes(&clients, &person).await);
    }
    spans.sort();
    assert!(spans[2] <= PROMISED, "told by the table alone: {spans:?}");
    for (replica, client) in clients.iter().enumerate() {
        assert_eq!(keystead.replica(replica).get("/readyz", &[]).await.status, 200, "ready without Redis");
        assert!(auth_is_serving(client).await, "and so is sign-in");
    }

    block_in_place(|| keystead.servers.redis.as_mut().expect("Redis").start_again());
    limits_are_shared_again(&clients).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_hanging_no_login_waits_longer_than_its_timeout_allows() {
    let keystead = with_shared_limits().await;
    let clients = [keystead.client_of(0).await, keystead.client_of(1).await];
    let person = Person::new("patient");
    person.register(&clients[0]).await;
    let redis = keystead.servers.redis.as_ref().expect("Redis");
    block_in_place(|| redis.pause());
    let mut hung = Duration::ZERO;
    for _ in 0..10 {
        let watch = Stopwatch::start();
        person.log_in(&clients[0]).await.expect("a login without Redis");
        hung = hung.max(watch.waited());
    }
    // It asks Redis three times at most, and waits for little else.
    assert!(hung <= REDIS_TIMEOUT * 4, "a login waited {hung:?}");
    let email = Person::new("guessed").email;
    assert_eq!(judged(&clients[0], &email, 4 * BUDGET).await, BUDGET, "limited all the same");
    let left_alone = median_wait(&clients[0], &person).await;
    assert!(left_alone <= REDIS_TIMEOUT / 2, "once left alone Redis costs nothing: {left_alone:?}");
    block_in_place(|| redis.resume());
    limits_are_shared_again(&clients).await;
}

async fn told_unavailable<T: std::fmt::Debug>(what: &str, call: impl Future<Output = Result<T, Failure>>) {
    let failure = within(TOLD_WITHIN, what, call).await.expect_err(what);
    assert_eq!(failure.code, Code::Unavailable, "{what}: {failure:?}");
    assert_eq!(failure.reason, "DEPENDENCY_UNAVAILABLE", "{what}");
    assert!(failure.retry_after.is_some(), "{what}: {failure:?}");
}

/// Whether the service says that people can be signed in.
async fn auth_is_serving(client: &Client) -> bool {
    let request = HealthCheckRequest { service: "keystead.v1.AuthService".to_owned() };
    let answer = HealthClient::new(client.channel.clone()).check(request).await.expect("a known service");
    answer.into_inner().status == ServingStatus::Serving as i32
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_whose_clock_is_not_the_databases_is_not_ready_until_it_is() {
    let keystead = Keystead::start(Backend::PostgresRedis).await;
    let ready = || async { keystead.replica(0).get("/readyz", &[]).await.status };
    until("ready", || async { ready().await == 200 }).await;
    for millis in [10_000, -10_000] {
        keystead.clock.step(millis);
        until("not ready", || async { ready().await == 503 }).await;
        keystead.clock.step(-millis);
        until("ready again", || async { ready().await == 200 }).await;
    }
}
