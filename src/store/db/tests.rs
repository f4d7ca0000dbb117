//! What is SQLite's alone, and how operations run; the answers of the ports are the conformance suite's.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use tempfile::TempDir;

use super::fault::Fault;
use super::{Database, DatabaseUrl, SchemaState, Settings};
use crate::domain::manual_clock::CountingEntropy;
use crate::domain::ports::{Probe as _, StoreError};

async fn connect(folder: &TempDir) -> Database {
    let settings = Settings::new(DatabaseUrl::sqlite(&folder.path().join("keystead.db")));
    Database::connect(&settings, Arc::new(CountingEntropy::new())).await.expect("a database")
}

async fn ask(connection: &DatabaseConnection, question: &str) -> String {
    let statement = Statement::from_string(connection.get_database_backend(), question);
    let row = connection.query_one_raw(statement).await.expect("an answer").expect("a row");
    row.try_get_by_index::<String>(0)
        .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))
        .expect("a value")
}

#[tokio::test]
async fn the_file_and_its_log_are_for_their_owner_alone() {
    let folder = TempDir::new().expect("a folder");
    let database = connect(&folder).await;
    database.migrate().await.expect("a schema");
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let entry = entry.expect("a file");
        assert_eq!(entry.metadata().expect("its mode").permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        files += 1;
    }
    assert!(files > 1, "the log was looked at too");
}

#[tokio::test]
async fn what_is_acknowledged_survives_a_power_cut() {
    let folder = TempDir::new().expect("a folder");
    let database = connect(&folder).await;
    assert_eq!(ask(&database.writer, "PRAGMA journal_mode").await, "wal");
    assert_eq!(ask(&database.writer, "PRAGMA synchronous").await, "2", "FULL");
    assert_eq!(ask(&database.writer, "PRAGMA foreign_keys").await, "1");
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = TempDir::new().expect("a folder");
    let database = connect(&folder).await;
    database.migrate().await.expect("a schema");
    assert!(database.reader.execute_unprepared("DELETE FROM key_ring").await.is_err());
}

// promise D2
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_replicas_that_migrate_at_once_none_fails() {
    let folder = TempDir::new().expect("a folder");
    let first = connect(&folder).await;
    assert!(matches!(first.schema_state().await, Ok(SchemaState::Behind(_))));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let replica = connect(&folder).await;
        tasks.spawn(async move { replica.migrate().await });
    }
    for outcome in tasks.join_all().await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(first.schema_state().await, Ok(SchemaState::Current));
}

#[tokio::test]
async fn an_operation_that_keeps_losing_ends_in_conflict() {
    let folder = TempDir::new().expect("a folder");
    let mut settings = Settings::new(DatabaseUrl::sqlite(&folder.path().join("keystead.db")));
    settings.operation_timeout = Duration::from_millis(200);
    let database = Database::connect(&settings, Arc::new(CountingEntropy::new())).await.expect("a database");
    let tries = AtomicU32::new(0);
    let outcome = database
        .run(|| async {
            tries.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Fault::Contended)
        })
        .await;
    assert_eq!(outcome, Err(StoreError::Conflict));
    assert!(tries.load(Ordering::Relaxed) > 2);
}

#[tokio::test]
async fn the_pauses_of_those_who_collide_differ_and_grow_up_to_a_limit() {
    let folder = TempDir::new().expect("a folder");
    let database = connect(&folder).await;
    let pauses = |tries: u32| (0..256).map(|_| database.pause(tries)).collect::<BTreeSet<_>>();
    for (tries, longest) in [(1, 4), (2, 8), (5, 64), (6, 100), (u32::MAX, 100)] {
        let pauses = pauses(tries);
        assert!(pauses.len() > 200, "{tries}: {pauses:?}");
        assert_eq!(pauses.last(), Some(&Duration::from_millis(longest)), "{tries}");
    }
}

#[tokio::test]
async fn an_operation_that_finds_the_file_locked_tries_again_until_it_is_free() {
    let folder = TempDir::new().expect("a folder");
    let [ours, theirs] = [connect(&folder).await, connect(&folder).await];
    let lock = tokio::sync::Mutex::new(Some(theirs.begin().await.expect("the lock")));
    let tries = AtomicU32::new(0);
    let outcome = ours
        .run(|| async {
            if tries.fetch_add(1, Ordering::Relaxed) == 1 {
                let lock = lock.lock().await.take().expect("the lock");
                lock.rollback().await.expect("the lock is free");
            }
            Ok(ours.begin().await?.commit().await?)
        })
        .await;
    assert_eq!(outcome, Ok(()));
    assert_eq!(tries.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_is_committed_after_transactions_that_had_no_room_is_there_for_others() {
    let folder = TempDir::new().expect("a folder");
    let [ours, theirs] = [connect(&folder).await, connect(&folder).await];
    ours.writer.execute_unprepared("CREATE TABLE large (content BLOB)").await.expect("a table");
    for _ in 0..3 {
        ours.writer.execute_unprepared("PRAGMA max_page_count = 1").await.expect("the least that holds all there is");
        let outcome = ours
            .run(|| async {
                let transaction = ours.begin().await?;
                transaction.execute_unprepared("INSERT INTO large VALUES (zeroblob(100000))").await?;
                Ok(transaction.commit().await?)
            })
            .await;
        assert_eq!(outcome, Err(StoreError::Unavailable), "the file is full");
    }
    ours.writer.execute_unprepared("PRAGMA max_page_count = 1000000").await.expect("room");
    let transaction = ours.begin().await.expect("a transaction");
    transaction.execute_unprepared("INSERT INTO large VALUES ('kept')").await.expect("a row");
    transaction.commit().await.expect("acknowledged");
    assert_eq!(ask(&theirs.reader, "SELECT count(*) FROM large").await, "1");
}

#[tokio::test]
async fn an_operation_that_hangs_is_unavailable_in_time() {
    let folder = TempDir::new().expect("a folder");
    let mut settings = Settings::new(DatabaseUrl::sqlite(&folder.path().join("keystead.db")));
    settings.operation_timeout = Duration::from_millis(50);
    let database = Database::connect(&settings, Arc::new(CountingEntropy::new())).await.expect("a database");
    let outcome = database.run(std::future::pending::<Result<(), Fault>>).await;
    assert_eq!(outcome, Err(StoreError::Unavailable));
}

#[tokio::test]
async fn a_closed_database_is_unavailable() {
    let folder = TempDir::new().expect("a folder");
    let database = connect(&folder).await;
    assert_eq!(database.time().await, Ok(None), "its clock is ours");
    database.clone().close().await.expect("closed");
    assert_eq!(database.time().await, Err(StoreError::Unavailable));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_unavailable() {
    let folder = TempDir::new().expect("a folder");
    let settings = Settings::new(DatabaseUrl::sqlite(&folder.path().join("missing/keystead.db")));
    let outcome = Database::connect(&settings, Arc::new(CountingEntropy::new())).await;
    assert_eq!(outcome.err(), Some(StoreError::Unavailable));
}

#[tokio::test]
async fn settings_that_are_not_valid_connect_nowhere() {
    let settings = Settings::new(DatabaseUrl::new("postgres://u:p@db.example.org/keystead"));
    let outcome = Database::connect(&settings, Arc::new(CountingEntropy::new())).await;
    assert_eq!(outcome.err(), Some(StoreError::Unavailable));
}
