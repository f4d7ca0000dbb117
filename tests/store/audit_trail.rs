//! The audit trail, read by time and in the order of commits.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use keystead::domain::audit_trail::{AuditCursor, AuditFilter, AuditPlace, AuditReading, StoredEvent};
use keystead::domain::id::{AuditId, PrincipalId};
use keystead::domain::ports::Actor;
use uuid::Uuid;

use crate::backend::Backend;
use crate::fixture::at_once;

fn principal(number: u128) -> PrincipalId {
    PrincipalId::from_uuid(Uuid::from_u128(number))
}

/// Records an event that `detail` names.
pub async fn record(backend: &Backend, kind: AuditKind, subject: u128, actor: u128, detail: &str) {
    let actor = Some(Actor { id: principal(actor), session: None });
    let mut context = backend.context();
    context.actor = actor;
    let event = AuditEvent {
        detail: Some(detail.to_owned()),
        ..AuditEvent::by_actor(kind, Some(principal(subject)), &context)
    };
    backend.audit.record(event, &context).await.expect("the store answers");
}

pub fn details(events: &[StoredEvent]) -> Vec<&str> {
    events.iter().map(|event| event.detail.as_deref().expect("a detail")).collect()
}

async fn list(backend: &Backend, filter: &AuditFilter, after: Option<AuditPlace>, limit: u32) -> Vec<StoredEvent> {
    backend.trail.list(filter, after, limit).await.expect("the store answers")
}

/// Events after the cursor, and the place after them.
pub async fn follow(backend: &Backend, after: AuditCursor, limit: u32) -> (Vec<StoredEvent>, AuditCursor) {
    match backend.trail.follow(&AuditFilter::default(), after, limit).await {
        Ok(AuditReading::Page { events, cursor }) => (events, cursor),
        other => panic!("{other:?}"),
    }
}

/// Follows until so many events were told. On PostgreSQL one waits while any older transaction is open, another test's
/// included.
pub async fn follow_until(backend: &Backend, mut cursor: AuditCursor, count: usize) -> (Vec<StoredEvent>, AuditCursor) {
    let mut told = Vec::new();
    let all = async {
        while told.len() < count {
            let (events, next) = follow(backend, cursor, 3).await;
            assert!(cursor <= next, "a cursor never goes back");
            told.extend(events);
            cursor = next;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all).await.expect("every event settles");
    (told, cursor)
}

pub async fn events_are_listed_by_time_and_filter(backend: Arc<Backend>) {
    use AuditKind::{RoleGranted, RoleRevoked, UserDisabled};
    let start = backend.now();
    for (kind, subject, actor, detail) in
        [(UserDisabled, 1, 8, "a"), (RoleGranted, 2, 8, "b"), (RoleRevoked, 2, 9, "c"), (RoleGranted, 1, 9, "d")]
    {
        record(&backend, kind, subject, actor, detail).await;
        backend.clock.advance(Duration::from_secs(1));
    }
    let all = AuditFilter::default();
    let after = |seconds| Some(start.after(Duration::from_secs(seconds)));
    for (filter, expected) in [
        (all.clone(), vec!["d", "c", "b", "a"]),
        (AuditFilter { subject: Some(principal(2)), ..all.clone() }, vec!["c", "b"]),
        (AuditFilter { actor: Some(principal(8)), ..all.clone() }, vec!["b", "a"]),
        (AuditFilter { kinds: vec![RoleGranted, UserDisabled], ..all.clone() }, vec!["d", "b", "a"]),
        (AuditFilter { from: after(1), until: after(3), ..all.clone() }, vec!["c", "b"]),
        (AuditFilter { subject: Some(principal(2)), actor: Some(principal(9)), ..all.clone() }, vec!["c"]),
        (AuditFilter { actor: Some(principal(1)), ..all.clone() }, vec![]),
    ] {
        assert_eq!(details(&list(&backend, &filter, None, 50).await), expected, "{filter:?}");
    }
    let newest = &list(&backend, &all, None, 1).await[0];
    assert_eq!(newest.kind, RoleGranted.as_str());
    assert_eq!((newest.actor, newest.subject), (Some(principal(9)), Some(principal(1))));
    assert_eq!((newest.outcome, newest.source.as_deref()), (AuditOutcome::Success, Some("192.0.2.7")));
    assert_eq!(newest.trace_id, "07".repeat(16));
    assert_eq!(newest.at, start.after(Duration::from_secs(3)));
}

pub async fn pages_of_events_of_one_moment_neither_skip_nor_repeat(backend: Arc<Backend>) {
    let names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    for name in &names {
        record(&backend, AuditKind::UserUpdated, 1, 1, name).await;
    }
    let (mut place, mut seen) = (None, Vec::new());
    loop {
        let page = list(&backend, &AuditFilter::default(), place, 3).await;
        let Some(last) = page.last() else { break };
        place = Some(last.place());
        seen.extend(details(&page).into_iter().map(str::to_owned));
    }
    seen.sort_unstable();
    assert_eq!(seen, names);
}

pub async fn whoever_follows_is_told_everything_once_in_order(backend: Arc<Backend>) {
    record(&backend, AuditKind::UserUpdated, 1, 1, "before").await;
    // On PostgreSQL what was committed shortly before may come again from the end: it is settled a little later.
    let begun = follow_until(&backend, AuditCursor { position: 0, id: AuditId::from_uuid(Uuid::nil()) }, 1).await.1;
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        record(&backend, AuditKind::UserUpdated, 1, 1, name).await;
    }
    let (told, end) = follow_until(&backend, begun, names.len()).await;
    assert_eq!(details(&told), names);
    assert!(follow(&backend, end, 3).await.0.is_empty());
    let again = follow_until(&backend, begun, names.len()).await.0;
    assert_eq!(told, again, "a cursor may be used again");
}

pub async fn the_end_is_where_new_events_begin(backend: Arc<Backend>) {
    let end = backend.trail.end().await.expect("the store answers");
    record(&backend, AuditKind::UserUpdated, 1, 1, "after").await;
    assert_eq!(details(&follow_until(&backend, end, 1).await.0), ["after"]);
    let unknown = AuditCursor { position: i64::MAX, ..end };
    let reading = backend.trail.follow(&AuditFilter::default(), unknown, 1).await;
    assert_eq!(reading, Ok(AuditReading::TooOld), "a cursor of another database");
}

pub async fn whoever_follows_parallel_writers_misses_nothing(backend: Arc<Backend>) {
    let mut cursor = backend.trail.end().await.expect("the store answers");
    let writers = {
        let backend = backend.clone();
        tokio::spawn(at_once(64, move |number| {
            let backend = backend.clone();
            async move { record(&backend, AuditKind::UserUpdated, 1, 1, &number.to_string()).await }
        }))
    };
    let mut told = Vec::new();
    while !writers.is_finished() {
        let (events, next) = follow(&backend, cursor, 5).await;
        told.extend(events);
        cursor = next;
    }
    let left = 64 - told.len();
    told.extend(follow_until(&backend, cursor, left).await.0);
    assert_eq!(told.len(), 64, "none twice");
    assert_eq!(details(&told).into_iter().collect::<HashSet<_>>().len(), 64, "none missing");
}
