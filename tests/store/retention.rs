//! What goes with time, on the databases: the store in RAM forgets nothing.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::AuditKind;
use keystead::domain::audit_trail::{AuditFilter, AuditReading};
use keystead::domain::clock::Timestamp;
use keystead::domain::one_time_token::TokenPurpose;
use keystead::domain::ports::retention::Perishable;
use keystead::domain::session::{EndScope, SessionCreation, SessionLimits};
use sea_orm::ConnectionTrait as _;

use crate::audit_trail::{details, follow, follow_until, record};
use crate::backend::Backend;
use crate::fixture::keys_of;
use crate::trail::Inside;

const DAY: Duration = Duration::from_hours(24);

async fn count(backend: &Backend, table: &str) -> i64 {
    let Inside::Sql(connection) = &backend.inside else { panic!("a database") };
    let query = format!("SELECT count(*) FROM {table}");
    let statement = sea_orm::Statement::from_string(connection.get_database_backend(), query);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Removes what is due now.
async fn purge(backend: &Backend, what: Perishable) -> u64 {
    remove(backend, what, backend.now(), 500).await
}

async fn remove(backend: &Backend, what: Perishable, before: Timestamp, limit: u32) -> u64 {
    let retention = backend.retention.as_ref().expect("a database");
    retention.purge(what, before, limit).await.expect("the store answers")
}

/// What has expired goes, what has not stays.
async fn only_what_has_expired_goes(backend: Arc<Backend>) {
    // promise D4
    let ada = backend.user("ada@example.com").await;
    let session = backend.session(&ada).await;
    let mut opened = backend.new_session(&ada);
    opened.attempt = Some(keys_of(1, 1));
    assert!(matches!(backend.open(opened).await, SessionCreation::Created { .. }));
    let ended = backend.sessions.end(ada.id, EndScope::This(session.id), backend.later(), &backend.context()).await;
    assert_eq!(ended.unwrap().len(), 1);
    backend.token(&ada, TokenPurpose::PasswordReset).await;
    backend.challenge(&ada).await;
    backend.begin_flow().await;
    let attempt = backend.attempts.count(&keys_of(2, 2), &backend.context()).await.unwrap();
    assert_eq!(attempt.in_a_row, 1);
    let tables = [
        (Perishable::Revocations, "revocations", 1),
        (Perishable::OneTimeTokens, "one_time_tokens", 1),
        (Perishable::OAuthFlows, "oauth_flows", 1),
        (Perishable::LoginFailures, "login_failures", 1),
        (Perishable::KnownSources, "known_sources", 1),
        (Perishable::SignInChallenges, "sign_in_challenges", 1),
        (Perishable::Sessions, "sessions", 2),
    ];
    for (what, table, rows) in tables {
        assert_eq!((purge(&backend, what).await, count(&backend, table).await), (0, rows), "{what:?}");
    }
    backend.clock.advance(DAY);
    assert_eq!(purge(&backend, Perishable::Sessions).await, 0, "an ended session is evidence until it expires");
    for (what, table, rows) in &tables[..5] {
        assert_eq!(purge(&backend, *what).await, rows.unsigned_abs(), "{what:?}");
        assert_eq!(count(&backend, table).await, 0, "{what:?}");
    }
    backend.clock.advance(SessionLimits::default().idle_lifetime);
    assert_eq!(purge(&backend, Perishable::Sessions).await, 0, "and so is one that nobody has used for long");
    backend.clock.advance(SessionLimits::default().absolute_lifetime);
    assert_eq!((purge(&backend, Perishable::Sessions).await, count(&backend, "sessions").await), (2, 0));
}

async fn the_oldest_go_first_and_no_more_than_asked_for(backend: Arc<Backend>) {
    for name in ["a", "b", "c"] {
        record(&backend, AuditKind::UserUpdated, 1, 1, name).await;
        backend.clock.advance(DAY);
    }
    let before = backend.now().before(DAY);
    assert_eq!(remove(&backend, Perishable::AuditEvents, before, 1).await, 1);
    let left = backend.trail.list(&AuditFilter::default(), None, 50).await.unwrap();
    assert_eq!(details(&left), ["c", "b"]);
    assert_eq!(remove(&backend, Perishable::AuditEvents, before, 500).await, 1);
    assert_eq!(remove(&backend, Perishable::AuditEvents, before, 500).await, 0);
}

async fn a_cursor_before_what_was_purged_is_too_old(backend: Arc<Backend>) {
    let begin = backend.trail.end().await.unwrap();
    record(&backend, AuditKind::UserUpdated, 1, 1, "a").await;
    let after_a = follow_until(&backend, begin, 1).await.1;
    backend.clock.advance(DAY);
    record(&backend, AuditKind::UserUpdated, 1, 1, "b").await;
    assert_eq!(purge(&backend, Perishable::AuditEvents).await, 1);
    let reading = backend.trail.follow(&AuditFilter::default(), begin, 5).await;
    assert_eq!(reading, Ok(AuditReading::TooOld));
    assert_eq!(details(&follow_until(&backend, after_a, 1).await.0), ["b"], "whoever had seen it misses nothing");
    backend.clock.advance(DAY);
    assert_eq!(purge(&backend, Perishable::AuditEvents).await, 1);
    let end = backend.trail.end().await.unwrap();
    assert!(follow(&backend, end, 5).await.0.is_empty(), "an empty trail can be followed");
    record(&backend, AuditKind::UserUpdated, 1, 1, "c").await;
    assert_eq!(details(&follow_until(&backend, end, 1).await.0), ["c"], "no position is given twice");
}

async fn replicas_that_purge_at_once_share_the_work(backend: Arc<Backend>) {
    for number in 0..100 {
        record(&backend, AuditKind::UserUpdated, 1, 1, &number.to_string()).await;
    }
    backend.clock.advance(DAY);
    let batches = (0..20).map(|_| remove(&backend, Perishable::AuditEvents, backend.now(), 10));
    let gone: u64 = futures_util::future::join_all(batches).await.into_iter().sum();
    let rest = purge(&backend, Perishable::AuditEvents).await;
    assert_eq!((gone + rest, count(&backend, "audit_events").await), (100, 0));
}

macro_rules! on_databases {
    ($($check:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $check() {
                super::$check(crate::backend::sqlite().await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $check() {
                super::$check(crate::backend::postgres().await).await;
            })*
        }
    };
}

on_databases! {
    only_what_has_expired_goes
    the_oldest_go_first_and_no_more_than_asked_for
    a_cursor_before_what_was_purged_is_too_old
    replicas_that_purge_at_once_share_the_work
}
