//! PostgreSQL alone: rows commit out of order, and no cursor skips one.

use std::collections::HashSet;

use keystead::domain::audit::AuditKind;
use keystead::domain::revocation::RevocationCursor;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};

use crate::audit_trail::{details, follow, record};
use crate::backend::postgres_at;
use crate::revocations::{missed, read, revoke, sessions};
use crate::support::postgres::PostgresServer;
use crate::trail::Inside;

// promise T8
#[tokio::test]
async fn a_revocation_that_commits_late_is_not_skipped() {
    // A cluster of its own: the open transaction would hold back the cursors of other tests.
    let server = PostgresServer::start();
    let backend = postgres_at(&server.fresh_database()).await;
    let Inside::Sql(connection) = &backend.inside else { panic!("a database") };
    let user = backend.user("ada@example.com").await;
    let late = backend.session(&user).await.id;

    let transaction = connection.begin().await.unwrap();
    let insert = "INSERT INTO revocations (kind, target, expires_at) VALUES ('session', $1, $2)";
    let values = [late.to_string().into(), backend.later().as_millis().into()];
    transaction.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, insert, values)).await.unwrap();

    let (mut cursor, mut seen, mut early) = (RevocationCursor::default(), HashSet::new(), HashSet::new());
    for _ in 0..10 {
        early.insert(revoke(&backend, &user, backend.later()).await);
        let page = read(&backend, cursor).await;
        seen.extend(sessions(&page));
        cursor = page.cursor;
        assert_eq!(seen, early, "what has committed is seen at once, what has not is not");
    }
    transaction.commit().await.unwrap();
    assert!(missed(&backend, cursor, 100).await.unwrap().contains(&late), "who goes on from the cursor misses it");
    let page = read(&backend, cursor).await;
    assert!(sessions(&page).contains(&late), "the cursor has passed a transaction that was still open");
    assert!(read(&backend, page.cursor).await.revocations.is_empty(), "the cursor moves on once it may");
}

// promise G2
#[tokio::test]
async fn an_event_that_commits_late_is_told_and_none_is_told_twice() {
    let server = PostgresServer::start();
    let backend = postgres_at(&server.fresh_database()).await;
    let Inside::Sql(connection) = &backend.inside else { panic!("a database") };
    let mut cursor = backend.trail.end().await.unwrap();

    record(&backend, AuditKind::UserUpdated, 1, 1, "early").await;
    let transaction = connection.begin().await.unwrap();
    let insert = "INSERT INTO audit_events (id, at, kind, outcome, detail, trace_id) \
        VALUES (gen_random_uuid(), 1, 'user_updated', 'success', 'late', '')";
    transaction.execute_unprepared(insert).await.unwrap();
    let mut told = Vec::new();
    for number in 0..5 {
        record(&backend, AuditKind::UserUpdated, 1, 1, &format!("meanwhile {number}")).await;
        let (events, next) = follow(&backend, cursor, 2).await;
        told.extend(events);
        cursor = next;
    }
    assert_eq!(details(&told), ["early"], "what comes after an open transaction waits for it");
    transaction.commit().await.unwrap();
    for _ in 0..4 {
        let (events, next) = follow(&backend, cursor, 2).await;
        told.extend(events);
        cursor = next;
    }
    let meanwhile = (0..5).map(|number| format!("meanwhile {number}"));
    let expected: Vec<String> = ["early".to_owned(), "late".to_owned()].into_iter().chain(meanwhile).collect();
    assert_eq!(details(&told), expected);
}
