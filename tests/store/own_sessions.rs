//! Sessions as their owner sees them, and who ended them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::AuditKind;
use keystead::domain::id::SessionId;
use keystead::domain::origin::Source;
use keystead::domain::session::{EndScope, RotationOutcome, SessionCreation, SessionLimits};
use keystead::domain::user::User;

use crate::backend::Backend;

pub async fn the_session_used_last_is_listed_first(backend: Arc<Backend>) {
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    assert!(listed(&backend, &ada).await.is_empty());
    let mut opened = Vec::new();
    for _ in 0..3 {
        opened.push(backend.session(&ada).await);
        backend.session(&bob).await;
        backend.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(listed(&backend, &ada).await, [opened[2].id, opened[1].id, opened[0].id]);
    let rotation = backend.rotation(&ada, &opened[0], 0);
    let RotationOutcome::Rotated(rotated) = backend.sessions.rotate(rotation, &backend.context()).await.unwrap() else {
        panic!("not rotated")
    };
    let sessions = backend.sessions.list(ada.id, backend.now()).await.unwrap();
    assert_eq!(sessions, [rotated, opened[2].clone(), opened[1].clone()]);
}

pub async fn sessions_of_one_moment_are_listed_newest_first(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let mut opened = Vec::new();
    for _ in 0..5 {
        opened.push(backend.session(&ada).await.id);
    }
    opened.sort_unstable();
    opened.reverse();
    assert_eq!(listed(&backend, &ada).await, opened);
}

pub async fn what_has_ended_or_expired_is_not_listed(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let [ended, idle, kept] = [backend.session(&ada).await, backend.session(&ada).await, backend.session(&ada).await];
    backend.sessions.end(ada.id, EndScope::This(ended.id), backend.later(), &backend.context()).await.unwrap();
    backend.clock.advance(Duration::from_hours(1));
    let rotation = backend.rotation(&ada, &kept, 0);
    let rotated = backend.sessions.rotate(rotation, &backend.context()).await;
    assert!(matches!(rotated, Ok(RotationOutcome::Rotated(_))));
    assert_eq!(listed(&backend, &ada).await, [kept.id, idle.id]);
    let limits = SessionLimits::default();
    backend.clock.advance(limits.idle_lifetime.saturating_sub(Duration::from_hours(1)));
    assert_eq!(listed(&backend, &ada).await, [kept.id], "the other has idled away to the millisecond");
    let mut old = backend.new_session(&ada);
    old.session.expires_at = backend.now().after(Duration::from_secs(1));
    let id = old.session.id;
    assert!(matches!(backend.open(old).await, SessionCreation::Created { .. }));
    assert_eq!(listed(&backend, &ada).await, [id, kept.id]);
    backend.clock.advance(Duration::from_secs(1));
    assert_eq!(listed(&backend, &ada).await, [kept.id]);
}

pub async fn a_session_keeps_the_source_that_it_was_opened_from(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    for source in [None, Some("192.0.2.9"), Some("2001:db8::7")] {
        let source = source.map(|text| Source::new(text.parse::<IpAddr>().unwrap()));
        let mut new = backend.new_session(&ada);
        new.session.source = source;
        let id = new.session.id;
        assert!(matches!(backend.open(new).await, SessionCreation::Created { .. }));
        assert_eq!(backend.sessions.find(id).await.unwrap().unwrap().session.source, source);
        backend.clock.advance(Duration::from_secs(1));
        assert_eq!(backend.sessions.list(ada.id, backend.now()).await.unwrap()[0].source, source);
    }
}

pub async fn an_end_is_told_by_whoever_made_it(backend: Arc<Backend>) {
    // promise G2
    let (ada, admin) = (backend.user("ada@example.com").await, backend.user("admin@example.com").await);
    let of_admin = backend.session(&admin).await;
    for (context, actor) in [(backend.context(), ada.id), (backend.context_of(&admin, of_admin.id), admin.id)] {
        let session = backend.session(&ada).await;
        let ended = backend.sessions.end(ada.id, EndScope::All, backend.later(), &context).await.unwrap();
        assert_eq!(ended.len(), 1);
        let told = backend.trail().await;
        let told = told.iter().rfind(|told| told.kind == AuditKind::SessionEnded.as_str()).unwrap();
        assert_eq!((told.actor, told.subject), (Some(actor.as_uuid()), Some(ada.id.as_uuid())));
        assert_eq!(told.session, Some(session.id.as_uuid()), "the session that ended, not the actor's");
    }
    assert!(backend.is_open(of_admin.id).await);
}

async fn listed(backend: &Backend, user: &User) -> Vec<SessionId> {
    let sessions = backend.sessions.list(user.id, backend.now()).await.expect("the store answers");
    sessions.into_iter().map(|session| session.id).collect()
}
