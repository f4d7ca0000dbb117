//! PostgreSQL that is down, hangs, takes no changes, or takes nobody in; and connections to it that fall silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keystead::grpc::pb::{GetJwksRequest, GetMeRequest, LogoutScope, TokenSet, TokenStatus};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tokio::task::{JoinHandle, block_in_place};
use tonic::Code;

use super::{auth_is_serving, told_unavailable};
use crate::harness::{Backend, Client, Failure, Keystead, Person, Rows, Setup, WRONG_PASSWORD, until};

/// How PostgreSQL is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outage {
    Stopped,
    Frozen,
    /// Others have every connection that it gives.
    Crowded,
}

impl Outage {
    /// Gives what has to be kept for as long as the outage shall last.
    async fn begin(self, keystead: &mut Keystead) -> Option<Crowd> {
        if self == Self::Crowded {
            return Some(crowd(keystead).await);
        }
        let postgres = keystead.servers.postgres.as_mut().expect("PostgreSQL");
        block_in_place(|| match self {
            Self::Frozen => postgres.pause(),
            Self::Stopped | Self::Crowded => postgres.stop(),
        });
        None
    }

    async fn end(self, keystead: &mut Keystead, kept: Option<Crowd>) {
        for connection in kept.into_iter().flat_map(|crowd| crowd.connections) {
            connection.close().await.expect("closed");
        }
        let postgres = keystead.servers.postgres.as_mut().expect("PostgreSQL");
        block_in_place(|| match self {
            Self::Stopped => postgres.start_again(),
            Self::Frozen => postgres.resume(),
            Self::Crowded => {}
        });
    }
}

/// Who takes the service's places.
const CROWD: &str = "crowd";

struct Crowd {
    connections: Vec<DatabaseConnection>,
    /// Has the place that is left.
    _looking: Rows,
}

/// Ends the connections of the service and takes their places, until there is none but those of the crowd and the one that
/// looks. Its name tells a connection of the crowd: one of the service has none yet while it is made.
async fn crowd(keystead: &Keystead) -> Crowd {
    let (rows, url) = (keystead.rows().await, keystead.servers.database_url.clone().expect("PostgreSQL"));
    let mut options = ConnectOptions::new(url);
    // Refused ones are tried again by the driver for so long.
    options.set_application_name(CROWD).max_connections(1);
    options.connect_timeout(Duration::from_millis(200)).acquire_timeout(Duration::from_millis(200));
    let crowded = format!(
        "SELECT (count(*) >= current_setting('max_connections')::int - 1)::int::bigint \
         FROM pg_stat_activity WHERE application_name = '{CROWD}'"
    );
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keystead'";
    let mut connections = Vec::new();
    while rows.number(&crowded).await == 0 {
        rows.execute(end).await;
        connections.extend(Database::connect(options.clone()).await.ok());
    }
    Crowd { connections, _looking: rows }
}

/// What somebody who signs in all the time is told: the truth, or that the service cannot answer.
fn keep_logging_in(client: Client, person: Person, stop: Arc<AtomicBool>) -> JoinHandle<Vec<Failure>> {
    tokio::spawn(async move {
        let mut failures = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            failures.extend(person.log_in(&client).await.err());
        }
        failures
    })
}

/// The failures of those who sign in all the time: an outage that asks to come back; and after such a one, transactions
/// that were given up in it and may hold locks for some seconds more.
async fn were_told_the_truth(logins: impl IntoIterator<Item = JoinHandle<Vec<Failure>>>) {
    let mut noticed = false;
    for login in logins {
        let failures = login.await.expect("no login that should not be refused");
        for (number, failure) in failures.iter().enumerate() {
            assert!(failure.is_busy(), "a right password is never told to be wrong: {failure:?}");
            assert!(number > 0 || failure.code == Code::Unavailable, "nobody was in the way before: {failure:?}");
            noticed = true;
        }
    }
    assert!(noticed, "the outage was noticed");
}

/// Somebody with a session and a reset token, neither of which an outage may use up.
struct Survivor {
    person: Person,
    set: TokenSet,
    reset_token: String,
}

impl Survivor {
    async fn of(keystead: &Keystead, client: &Client) -> Self {
        let person = Person::new("survivor");
        let set = person.register(client).await.set;
        client.ask_for_reset(&person.email).await.expect("taken");
        let reset_token = keystead.mailbox().reset_token(&person.email).await;
        Self { person, set, reset_token }
    }

    async fn finds_everything_unavailable(&self, client: &Client) {
        let registration = Person::new("newcomer").registration();
        let Self { person, set, reset_token } = self;
        tokio::join!(
            told_unavailable("Login", person.log_in(client)),
            told_unavailable("Login of nobody", client.log_in("nobody@example.com", WRONG_PASSWORD)),
            told_unavailable("Register", client.register(registration)),
            told_unavailable("Refresh", client.use_refresh_token(&set.refresh_token)),
            told_unavailable("Logout", client.log_out(&set.refresh_token, LogoutScope::ThisSession)),
            told_unavailable("RequestReset", client.ask_for_reset(&person.email)),
            told_unavailable("ConfirmReset", client.set_password(reset_token, "fresh paint on the boathouse")),
        );
    }

    /// Tokens are judged, and the service says which part of it does not serve.
    async fn is_still_verified(&self, keystead: &Keystead, client: &Client) {
        assert_eq!(client.status_of(&self.set.access_token).await, TokenStatus::Active);
        assert!(!client.get_jwks(GetJwksRequest {}).await.expect("keys").keys.is_empty());
        until("AuthService to be told as not serving", || async { !auth_is_serving(client).await }).await;
        assert_eq!(keystead.replica(0).get("/readyz", &[]).await.status, 200, "ready while tokens can be judged");
    }

    async fn finds_everything_well(&self, keystead: &Keystead, client: &Client) {
        until("a login", || async { self.person.log_in(client).await.is_ok() }).await;
        until("a verdict", || async { client.verdict(&self.set.access_token).await.is_ok() }).await;
        assert_eq!(client.status_of(&self.set.access_token).await, TokenStatus::Active);
        until("ready", || async { keystead.replica(0).get("/readyz", &[]).await.status == 200 }).await;
        until("serving", || auth_is_serving(client)).await;
        // Transactions that were given up meanwhile may hold locks for some seconds more.
        until("the refresh token to be good", || async {
            client.use_refresh_token(&self.set.refresh_token).await.is_ok()
        })
        .await;
        until("the reset token to be good", || async {
            client.set_password(&self.reset_token, "fresh paint on the boathouse").await.is_ok()
        })
        .await;
        Person::new("newcomer").register(client).await;
    }
}

async fn verification_ends_once_it_is_stale(keystead: &Keystead, client: &Client, set: &TokenSet) {
    keystead.clock.advance(Duration::from_secs(61));
    let failure = client.verdict(&set.access_token).await.expect_err("nobody can know");
    failure.is(Code::Unavailable, "REVOCATION_STATE_STALE");
    assert!(failure.retry_after.is_some(), "{failure:?}");
    until("not ready", || async { keystead.replica(0).get("/readyz", &[]).await.status == 503 }).await;
    assert_eq!(keystead.replica(0).get("/livez", &[]).await.status, 200, "alive all the same");
    let page = keystead.replica(0).get("/metrics", &[]).await.body;
    for name in ["keystead_revocation_state_age_seconds ", "keystead_key_ring_age_seconds "] {
        let age = page.lines().find_map(|line| line.strip_prefix(name)?.parse::<f64>().ok());
        assert!(age.is_some_and(|age| age >= 61.0), "{name}{age:?}");
    }
    // The minute has passed for the replica alone: the database's clock, which it is compared with, is the machine's.
    keystead.clock.step(-61_000);
}

async fn an_outage_is_told_as_one_and_heals(backend: Backend, outage: Outage) {
    let mut keystead = Setup::on(backend).waits_as_promised().with("revocation.max_staleness", "\"1m\"").start().await;
    let client = keystead.client().await;
    let survivor = Survivor::of(&keystead, &client).await;
    let regular = Person::new("regular");
    regular.register(&client).await;
    let stop = Arc::new(AtomicBool::new(false));
    let logins = keep_logging_in(keystead.client().await, regular, Arc::clone(&stop));

    let kept = outage.begin(&mut keystead).await;
    survivor.finds_everything_unavailable(&client).await;
    survivor.is_still_verified(&keystead, &client).await;
    verification_ends_once_it_is_stale(&keystead, &client, &survivor.set).await;
    outage.end(&mut keystead, kept).await;
    survivor.finds_everything_well(&keystead, &client).await;

    stop.store(true, Ordering::SeqCst);
    were_told_the_truth([logins]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stopped_is_told_as_an_outage_and_heals() {
    an_outage_is_told_as_one_and_heals(Backend::OwnPostgresRedis, Outage::Stopped).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_hanging_is_told_as_an_outage_and_heals() {
    an_outage_is_told_as_one_and_heals(Backend::OwnPostgresRedis, Outage::Frozen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_out_of_connections_is_told_as_an_outage_and_heals() {
    an_outage_is_told_as_one_and_heals(Backend::SmallPostgresRedis, Outage::Crowded).await;
}

/// Has the whole server take no changes, or take them again; as a standby does that was promoted.
async fn set_read_only(rows: &Rows, is_read_only: bool) {
    let value =
        if is_read_only { "SET default_transaction_read_only = on" } else { "RESET default_transaction_read_only" };
    rows.execute(&format!("ALTER SYSTEM {value}")).await;
    rows.execute("SELECT pg_reload_conf()").await;
}

// promise R8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_takes_no_changes_is_told_as_an_outage_of_what_changes_and_heals() {
    let keystead = Setup::on(Backend::OwnPostgresRedis).waits_as_promised().start().await;
    let (client, rows) = (keystead.client().await, keystead.rows().await);
    let survivor = Survivor::of(&keystead, &client).await;
    let person = Person::new("regular");
    person.register(&client).await;
    set_read_only(&rows, true).await;
    // Each connection of the server hears of it by itself.
    until("changes to be refused", || async { person.log_in(&client).await.is_err() }).await;
    until("the health to tell", || async { !auth_is_serving(&client).await }).await;
    survivor.finds_everything_unavailable(&client).await;
    survivor.is_still_verified(&keystead, &client).await;
    let bearing = client.bearing(&survivor.set.access_token);
    bearing.get_me(GetMeRequest {}).await.expect("what only reads goes on");
    set_read_only(&rows, false).await;
    survivor.finds_everything_well(&keystead, &client).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_fall_silent_for_good_are_replaced() {
    let mut keystead = Setup::on(Backend::Postgres)
        .waits_as_promised()
        .replicas(0)
        .with("database.max_connections", "2")
        .start()
        .await;
    let link = keystead.add_replica_behind_a_link().await;
    let client = keystead.client().await;
    let people: Vec<Person> = (0..4).map(|_| Person::new("regular")).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let mut logins = Vec::new();
    for person in &people {
        person.register(&client).await;
        logins.push(keep_logging_in(client.clone(), person.clone(), Arc::clone(&stop)));
    }
    link.abandon_connections();
    until("a login", || async { people[0].log_in(&client).await.is_ok() }).await;
    stop.store(true, Ordering::SeqCst);
    were_told_the_truth(logins).await;
    until("serving", || auth_is_serving(&client)).await;
    Person::new("newcomer").register(&client).await;
}
