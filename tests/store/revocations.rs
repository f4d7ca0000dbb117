//! The table of revocations.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use keystead::domain::clock::Timestamp;
use keystead::domain::id::SessionId;
use keystead::domain::revocation::{RevocationCursor, RevocationGap, RevocationPage, RevocationTarget};
use keystead::domain::session::EndScope;
use keystead::domain::user::User;

use crate::backend::Backend;
use crate::fixture::at_once;

pub async fn read(backend: &Backend, from: RevocationCursor) -> RevocationPage {
    backend.revocations.read(from, backend.now()).await.unwrap()
}

/// The sessions that a page revokes.
pub fn sessions(page: &RevocationPage) -> HashSet<SessionId> {
    let session = |target: &RevocationTarget| match target {
        RevocationTarget::Session(id) => Some(*id),
        RevocationTarget::User { .. } | RevocationTarget::Key(_) => None,
    };
    page.revocations.iter().filter_map(|revocation| session(&revocation.target)).collect()
}

/// Opens a session and ends it.
pub async fn revoke(backend: &Backend, user: &User, expires_at: Timestamp) -> SessionId {
    let id = backend.session(user).await.id;
    let ended = backend.sessions.end(user.id, EndScope::This(id), expires_at, &backend.context()).await.unwrap();
    assert_eq!(ended.len(), 1);
    id
}

pub async fn every_live_revocation_is_read_from_the_start(backend: Arc<Backend>) {
    // promise T8
    assert!(read(&backend, RevocationCursor::default()).await.revocations.is_empty());
    let user = backend.user("ada@example.com").await;
    let mut revoked = HashSet::new();
    for _ in 0..3 {
        revoked.insert(revoke(&backend, &user, backend.later()).await);
    }
    let page = read(&backend, RevocationCursor::default()).await;
    assert_eq!(sessions(&page), revoked);
    assert!(page.revocations.iter().all(|revocation| revocation.expires_at == backend.later()));
}

pub async fn a_cursor_reads_on(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let mut cursor = RevocationCursor::default();
    for _ in 0..5 {
        let id = revoke(&backend, &user, backend.later()).await;
        let page = read(&backend, cursor).await;
        assert!(sessions(&page).contains(&id));
        assert!(cursor <= page.cursor, "a cursor never goes back");
        cursor = page.cursor;
    }
    // On PostgreSQL a row comes again as long as any transaction from before it is open, another test's included.
    let caught_up = async {
        while !read(&backend, cursor).await.revocations.is_empty() {
            cursor = read(&backend, cursor).await.cursor;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), caught_up).await.expect("the cursor moves on");
}

pub async fn the_expired_are_left_out(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let soon = backend.now().after(Duration::from_secs(1));
    let short = revoke(&backend, &user, soon).await;
    let long = revoke(&backend, &user, backend.later()).await;
    assert_eq!(sessions(&read(&backend, RevocationCursor::default()).await), HashSet::from([short, long]));
    backend.clock.advance(Duration::from_secs(2));
    assert_eq!(sessions(&read(&backend, RevocationCursor::default()).await), HashSet::from([long]));
}

pub async fn parallel_writers_lose_nothing(backend: Arc<Backend>) {
    // promise T8
    let user = backend.user("ada@example.com").await;
    let writers = {
        let backend = backend.clone();
        tokio::spawn(async move {
            at_once(64, |_| {
                let (backend, user) = (backend.clone(), user.clone());
                async move { revoke(&backend, &user, backend.later()).await }
            })
            .await
        })
    };
    let (mut cursor, mut seen) = (RevocationCursor::default(), HashSet::new());
    while !writers.is_finished() {
        let page = read(&backend, cursor).await;
        seen.extend(sessions(&page));
        cursor = page.cursor;
    }
    seen.extend(sessions(&read(&backend, cursor).await));
    assert_eq!(seen, writers.await.unwrap().into_iter().collect());
}

/// What closes the gap after the cursor; `None` where it is too wide.
pub async fn missed(backend: &Backend, cursor: RevocationCursor, limit: u32) -> Option<HashSet<SessionId>> {
    match backend.revocations.since(cursor, backend.now(), limit).await.unwrap() {
        RevocationGap::Missed(revocations) => Some(sessions(&RevocationPage { revocations, cursor })),
        RevocationGap::TooWide => None,
    }
}

pub async fn a_gap_is_closed_with_all_that_came_after_the_cursor(backend: Arc<Backend>) {
    // promise T8
    let user = backend.user("ada@example.com").await;
    let early = revoke(&backend, &user, backend.later()).await;
    let cursor = read(&backend, RevocationCursor::default()).await.cursor;
    let mut later = HashSet::new();
    for _ in 0..3 {
        later.insert(revoke(&backend, &user, backend.later()).await);
    }
    let soon = backend.now().after(Duration::from_secs(1));
    revoke(&backend, &user, soon).await;
    backend.clock.advance(Duration::from_secs(2));
    let mut found = missed(&backend, cursor, 10).await.expect("a gap of three");
    // On PostgreSQL the cursor may lag behind transactions of others.
    found.remove(&early);
    assert_eq!(found, later);
}

pub async fn a_gap_wider_than_asked_for_or_of_another_database_is_not_closed(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let start = RevocationCursor::default();
    for _ in 0..3 {
        revoke(&backend, &user, backend.later()).await;
    }
    assert_eq!(missed(&backend, start, 3).await.map(|found| found.len()), Some(3));
    assert_eq!(missed(&backend, start, 2).await, None);
    assert_eq!(missed(&backend, RevocationCursor(i64::MAX), 3).await, None);
    let end = read(&backend, start).await.cursor;
    assert!(missed(&backend, end, 3).await.is_some(), "where the table has come to");
}
