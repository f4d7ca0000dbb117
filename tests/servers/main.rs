//! The throw-away servers themselves: what the other tests rely on when they break one.

#![cfg(test)]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other test binaries use the rest")]
mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, DbErr, Statement,
    TransactionTrait as _,
};
use support::guard::Guard;
use support::postgres::{self, PostgresServer};
use support::redis::RedisServer;
use support::stopwatch;

/// How long an answer may take that comes in a moment on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Who does not answer for so long does not answer.
const SILENCE: Duration = Duration::from_millis(500);

/// What Redis answers to a command, if it does within that time.
fn ask(server: &RedisServer, command: &str, patience: Duration) -> Option<String> {
    let address = server.url().strip_prefix("redis://").map(ToOwned::to_owned);
    let mut stream = TcpStream::connect(address.expect("a Redis URL")).ok()?;
    stream.set_read_timeout(Some(patience)).expect("a timeout");
    write!(stream, "{command}\r\n").ok()?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..length]).trim().to_owned())
}

async fn connect(url: impl Into<String>) -> Result<DatabaseConnection, DbErr> {
    connect_within(PATIENCE, url).await
}

async fn connect_within(patience: Duration, url: impl Into<String>) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url.into());
    options.connect_timeout(patience).acquire_timeout(patience);
    Database::connect(options).await
}

#[test]
fn a_killed_redis_comes_back_empty_on_the_same_port() {
    let mut server = RedisServer::start();
    let url = server.url();
    assert_eq!(ask(&server, "SET key value", PATIENCE).as_deref(), Some("+OK"));
    server.kill();
    assert_eq!(ask(&server, "PING", SILENCE), None);
    server.start_again();
    assert_eq!(server.url(), url);
    assert_eq!(ask(&server, "EXISTS key", PATIENCE).as_deref(), Some(":0"));
    server.restart();
    assert_eq!(ask(&server, "PING", PATIENCE).as_deref(), Some("+PONG"));
}

#[test]
fn a_paused_redis_accepts_and_never_answers() {
    let server = RedisServer::start();
    server.pause();
    assert_eq!(ask(&server, "PING", SILENCE), None);
    server.resume();
    assert_eq!(ask(&server, "PING", PATIENCE).as_deref(), Some("+PONG"));
}

#[tokio::test]
async fn a_stopped_postgres_comes_back_with_its_data() {
    let mut server = PostgresServer::start();
    let url = server.fresh_database();
    let connection = connect(url.clone()).await.expect("the server answers");
    connection.execute_unprepared("CREATE TABLE kept (id int)").await.expect("a table");
    server.stop();
    assert!(connection.execute_unprepared("SELECT 1").await.is_err());
    assert!(connect_within(SILENCE, url.clone()).await.is_err());
    server.start_again();
    let connection = connect(url).await.expect("the server answers again");
    connection.execute_unprepared("SELECT id FROM kept").await.expect("the table is still there");
}

#[tokio::test]
async fn a_killed_postgres_comes_back_with_what_was_committed() {
    let mut server = PostgresServer::start_durable();
    let url = server.fresh_database();
    let connection = connect(url.clone()).await.expect("the server answers");
    connection.execute_unprepared("CREATE TABLE kept (id int)").await.expect("a table");
    let begun = connection.begin().await.expect("a transaction");
    begun.execute_unprepared("INSERT INTO kept VALUES (1)").await.expect("a row that nobody commits");
    server.kill();
    assert!(connect_within(SILENCE, url.clone()).await.is_err());
    server.start_again();
    let connection = connect(url).await.expect("the server answers again");
    let query = Statement::from_string(DbBackend::Postgres, "SELECT count(*) FROM kept");
    let row = connection.query_one_raw(query).await.expect("the table is still there").expect("a row");
    assert_eq!(row.try_get_by_index::<i64>(0), Ok(0));
}

#[tokio::test]
async fn a_paused_postgres_never_answers() {
    let server = PostgresServer::start();
    let connection = connect(server.fresh_database()).await.expect("the server answers");
    server.pause();
    let answer = tokio::time::timeout(SILENCE, connection.execute_unprepared("SELECT 1")).await;
    assert!(answer.is_err(), "a paused server answered");
    server.resume();
    let connection = connect(server.fresh_database()).await.expect("the server answers again");
    connection.execute_unprepared("SELECT 1").await.expect("the server answers again");
}

#[tokio::test]
async fn each_test_gets_an_empty_database() {
    let (first, second) = (postgres::fresh_database(), postgres::fresh_database());
    assert_ne!(first, second);
    let first = connect(first).await.expect("the server answers");
    first.execute_unprepared("CREATE TABLE mine (id int)").await.expect("a table");
    let second = connect(second).await.expect("the server answers");
    assert!(second.execute_unprepared("SELECT id FROM mine").await.is_err());
}

#[test]
fn a_stopwatch_counts_what_the_processors_idle_on_the_average() {
    let stat =
        "cpu  9 9 9 99 9 9 9 9 9 9\ncpu0 7 7 7 150 7 7 7 7 7 7\ncpu1 8 8 8 50 8 8 8 8 8 8\nintr 1 2 3 4 5\nctxt 6\n";
    assert_eq!(stopwatch::idle(stat), Duration::from_secs(1));
}

#[test]
fn a_guard_that_goes_takes_its_server_and_folder_along() {
    let mut guard = Guard::new();
    let folder = guard.folder().to_owned();
    let mut server = std::process::Command::new("sleep").arg("600").spawn().expect("sleep starts");
    guard.started(server.id(), "INT");
    // Paused, as a test leaves a server that failed while it was.
    support::process::signal(server.id(), "STOP");
    drop(guard);
    assert!(server.try_wait().expect("a child of ours").is_some());
    assert!(!folder.exists());
}
