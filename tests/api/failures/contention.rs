//! Others in the way: locks that are held, circles of locks, changes that cannot be put in a row. A call tries again
//! until its time is over, and then says that it met a concurrent change.

use futures_util::future::join_all;
use keystead::grpc::pb::TokenSet;
use tokio::task::JoinHandle;

use super::TOLD_WITHIN;
use crate::harness::{Backend, Client, Failure, Keystead, Person, Rows, Setup, until, within};

/// How often a deadlock is tried to be made.
const ROUNDS: usize = 10;

/// Sign-ins at once.
const FLOOD: usize = 20;

/// What PostgreSQL's log says of each; all of them are errors in the middle of a transaction.
const LOCK_TIMEOUT: &str = "canceling statement due to lock timeout";
const DEADLOCK: &str = "deadlock detected";
const SERIALIZATION: &str = "could not serialize access due to concurrent update";

/// A Keystead, somebody with a session, and two connections past the service.
struct Scene {
    keystead: Keystead,
    client: Client,
    person: Person,
    set: TokenSet,
    /// In the way.
    other: Rows,
    /// Looks on.
    rows: Rows,
}

impl Scene {
    /// With a setting of the database itself: `SET …`.
    async fn set(backend: Backend, database_setting: Option<&str>) -> Self {
        let mut keystead = Setup::on(backend).waits_as_promised().with("passwords.queue", "1000").start().await;
        if let Some(setting) = database_setting {
            let change = format!("EXECUTE format('ALTER DATABASE %I {setting}', current_database())");
            keystead.rows().await.execute(&format!("DO $do$ BEGIN {change}; END $do$")).await;
            keystead.restart().await;
        }
        let (client, rows, other) = (keystead.client().await, keystead.rows().await, keystead.rows().await);
        let person = Person::new("ada");
        person.register(&client).await;
        // By now the account knows its source.
        let set = person.log_in(&client).await.expect("tokens");
        Self { keystead, client, person, set, other, rows }
    }

    fn log_in(&self) -> JoinHandle<Result<TokenSet, Failure>> {
        let (client, person) = (self.client.clone(), self.person.clone());
        tokio::spawn(async move { person.log_in(&client).await })
    }

    fn refresh(&self) -> JoinHandle<Result<TokenSet, Failure>> {
        let (client, token) = (self.client.clone(), self.set.refresh_token.clone());
        tokio::spawn(async move { client.use_refresh_token(&token).await })
    }

    fn log(&self) -> String {
        self.keystead.servers.postgres.as_ref().expect("PostgreSQL").log()
    }

    /// How often PostgreSQL has said so to somebody.
    fn told(&self, words: &str) -> usize {
        self.log().matches(words).count()
    }

    async fn service_waits_for_a_lock(&self, expected: bool) {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock' AND application_name = 'keystead'";
        until("the service to meet a lock, or to be past it", || async {
            (self.rows.number(waiting).await > 0) == expected
        })
        .await;
    }

    fn row_of(&self, table: &str) -> String {
        match table {
            "users" => format!("SELECT 1 FROM users WHERE email = '{}' FOR UPDATE", self.person.email),
            _ => format!("SELECT 1 FROM {table} FOR UPDATE"),
        }
    }
}

async fn a_row_that_is_locked(table: &str, call: impl Fn(&Scene) -> JoinHandle<Result<TokenSet, Failure>>) {
    let scene = Scene::set(Backend::OwnPostgresRedis, None).await;
    scene.other.execute("BEGIN").await;
    scene.other.execute(&scene.row_of(table)).await;
    let answer = within(TOLD_WITHIN, "the answer", call(&scene)).await.expect("an answer");
    let failure = answer.expect_err("nobody gets past the lock");
    assert!(failure.lost_to_others(), "{failure:?}");

    scene.service_waits_for_a_lock(false).await;
    let before = scene.told(LOCK_TIMEOUT);
    let answer = call(&scene);
    until("the call to lose once", || async { scene.told(LOCK_TIMEOUT) > before }).await;
    scene.other.execute("ROLLBACK").await;
    answer.await.expect("an answer").expect("tokens, now that nobody is in the way");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_meets_a_lock_tries_again_and_is_aborted_when_its_time_is_over() {
    a_row_that_is_locked("users", Scene::log_in).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_meets_a_lock_tries_again_and_is_aborted_when_its_time_is_over() {
    a_row_that_is_locked("sessions", Scene::refresh).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_the_victim_of_a_deadlock_tries_again() {
    // Who waits for so long looks for a circle, once: the service does, the other comes too late to.
    let scene = Scene::set(Backend::OwnPostgresRedis, Some("SET deadlock_timeout = ''400ms''")).await;
    scene.other.execute("SET deadlock_timeout = '1min'").await;
    for _ in 0..ROUNDS {
        scene.other.execute("BEGIN").await;
        scene.other.execute(&scene.row_of("known_sources")).await;
        let login = scene.log_in();
        scene.service_waits_for_a_lock(true).await;
        // Fails unless the service is the victim.
        scene.other.execute(&scene.row_of("users")).await;
        scene.other.execute("COMMIT").await;
        login.await.expect("an answer").expect("tokens");
        if scene.told(DEADLOCK) > 0 {
            return;
        }
        // The machine was so busy that the other closed the circle after the service had looked for one.
    }
    panic!("there was no deadlock: {}", scene.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_cannot_be_put_in_a_row_with_another_change_tries_again() {
    let isolation = "SET default_transaction_isolation = ''repeatable read''";
    let scene = Scene::set(Backend::OwnPostgresRedis, Some(isolation)).await;
    scene.other.execute("BEGIN").await;
    let change = format!("UPDATE users SET revision = revision WHERE email = '{}'", scene.person.email);
    scene.other.execute(&change).await;
    let login = scene.log_in();
    scene.service_waits_for_a_lock(true).await;
    scene.other.execute("COMMIT").await;
    login.await.expect("an answer").expect("tokens");
    assert!(scene.told(SERIALIZATION) >= 1, "there was a conflict: {}", scene.log());
}

/// Beside those whose turn it was, some had no turn within their time: for them the database was away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_that_finds_the_file_locked_is_asked_to_come_back_in_time() {
    let scene = Scene::set(Backend::Sqlite, None).await;
    scene.other.execute("BEGIN IMMEDIATE").await;
    let answers = within(TOLD_WITHIN, "the answers", join_all((0..FLOOD).map(|_| scene.log_in()))).await;
    for answer in answers {
        let failure = answer.expect("an answer").expect_err("nobody else may write");
        assert!(failure.is_busy(), "{failure:?}");
    }
    scene.other.execute("ROLLBACK").await;
    for answer in join_all((0..FLOOD).map(|_| scene.log_in())).await {
        answer.expect("an answer").expect("tokens, now that nobody is in the way");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_finds_the_file_locked_is_aborted_when_its_time_is_over() {
    let scene = Scene::set(Backend::Sqlite, None).await;
    for call in [Scene::log_in, Scene::refresh] {
        scene.other.execute("BEGIN IMMEDIATE").await;
        let answer = within(TOLD_WITHIN, "the answer", call(&scene)).await.expect("an answer");
        let failure = answer.expect_err("nobody else may write");
        assert!(failure.lost_to_others(), "{failure:?}");
        scene.other.execute("ROLLBACK").await;
        call(&scene).await.expect("an answer").expect("tokens, now that nobody is in the way");
    }
}
