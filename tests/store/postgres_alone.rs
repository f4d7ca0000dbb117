//! What only PostgreSQL can show: transactions that stay open while later ones commit, and a server that hangs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use keystead::domain::id::SessionId;
use keystead::domain::manual_clock::CountingEntropy;
use keystead::domain::ports::{Probe as _, StoreError};
use keystead::domain::revocation::{RevocationCursor, RevocationTarget};
use keystead::domain::session::EndScope;
use keystead::store::db::{Database, DatabaseUrl, Settings};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use uuid::Uuid;

use crate::backend;
use crate::support::postgres::PostgresServer;
use crate::trail::Inside;

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transaction_held_open_across_later_commits_is_not_skipped() {
    let backend = backend::postgres().await;
    let Inside::Sql(connection) = &backend.inside else { panic!("SQL") };
    let slow = Uuid::from_u128(7);
    let held = connection.begin().await.unwrap();
    let insert = format!(
        "INSERT INTO revocations (kind, target, expires_at) VALUES ('session', '{slow}', {})",
        backend.later().as_millis()
    );
    held.execute_unprepared(&insert).await.unwrap();
    let mut cursor = RevocationCursor::default();
    for user in ["ada@example.com", "bob@example.com"] {
        let user = backend.user(user).await;
        let session = backend.session(&user).await;
        backend.sessions.end(user.id, session.id, EndScope::This, backend.later(), &backend.context()).await.unwrap();
        let page = backend.revocations.read(cursor, backend.now()).await.unwrap();
        let wanted = RevocationTarget::Session(session.id);
        assert!(
            page.revocations.iter().any(|revocation| revocation.target == wanted),
            "later commits are seen at once"
        );
        cursor = page.cursor;
    }
    held.commit().await.unwrap();
    let page = backend.revocations.read(cursor, backend.now()).await.unwrap();
    let wanted = RevocationTarget::Session(SessionId::from_uuid(slow));
    assert!(page.revocations.iter().any(|revocation| revocation.target == wanted));
    let next = backend.revocations.read(page.cursor, backend.now()).await.unwrap();
    assert!(next.revocations.is_empty(), "the cursor goes on once nothing is open");
}

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
    assert_eq!(database.ping().await, Ok(()));
    server.pause();
    let start = Instant::now();
    assert_eq!(database.ping().await, Err(StoreError::Unavailable));
    assert!(start.elapsed() < Duration::from_secs(2));
    server.resume();
    assert_eq!(database.ping().await, Ok(()));
}

// promise D2
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_replicas_that_migrate_at_once_none_fails() {
    let url = tokio::task::spawn_blocking(crate::support::postgres::fresh_database).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let settings = Settings::new(DatabaseUrl::new(url.clone()));
        let replica = Database::connect(&settings, Arc::new(CountingEntropy::new())).await.unwrap();
        tasks.spawn(async move { (replica.migrate().await, replica.pending_migrations().await) });
    }
    for outcome in tasks.join_all().await {
        assert_eq!(outcome, (Ok(()), Ok(0)));
    }
}
