//! What only PostgreSQL can show: a server that hangs, and replicas that migrate at once.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::manual_clock::CountingEntropy;
use keystead::domain::ports::{Probe as _, StoreError};
use keystead::store::db::{Database, DatabaseUrl, SchemaState, Settings};

use crate::support::postgres::PostgresServer;
use crate::support::stopwatch::Stopwatch;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_hangs_is_unavailable_within_two_seconds() {
    let (server, url) = tokio::task::spawn_blocking(|| {
        let server = PostgresServer::start();
        let url = server.fresh_database();
        (server, url)
    })
    .await
    .unwrap();
    let settings = Settings::new(DatabaseUrl::new(url));
    let database = Database::connect(&settings, Arc::new(CountingEntropy::new())).await.unwrap();
    assert!(database.time().await.is_ok_and(|time| time.is_some()));
    server.pause();
    let watch = Stopwatch::start();
    assert_eq!(database.time().await, Err(StoreError::Unavailable));
    let waited = watch.waited();
    assert!(waited < Duration::from_secs(2), "{waited:?}");
    server.resume();
    assert!(database.time().await.is_ok_and(|time| time.is_some()));
}

// promise D2
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_replicas_that_migrate_at_once_none_fails() {
    let url = tokio::task::spawn_blocking(crate::support::postgres::fresh_database).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let settings = Settings::new(DatabaseUrl::new(url.clone()));
        let replica = Database::connect(&settings, Arc::new(CountingEntropy::new())).await.unwrap();
        tasks.spawn(async move { (replica.migrate().await.is_ok(), replica.schema_state().await) });
    }
    for outcome in tasks.join_all().await {
        assert_eq!(outcome, (true, Ok(SchemaState::Current)));
    }
}
