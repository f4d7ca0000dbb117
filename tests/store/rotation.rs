//! Sessions: refreshing.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::revocation::{RevocationCursor, RevocationTarget};
use keystead::domain::session::{EndScope, Rotation, RotationOutcome, Session, SessionLimits};
use keystead::domain::user::User;

use crate::backend::Backend;
use crate::fixture::at_once;

const SECOND: Duration = Duration::from_secs(1);

async fn signed_in(backend: &Backend) -> (User, Session) {
    let user = backend.user("ada@example.com").await;
    let session = backend.session(&user).await;
    (user, session)
}

async fn rotate(backend: &Backend, rotation: Rotation) -> RotationOutcome {
    backend.sessions.rotate(rotation, &backend.context()).await.expect("the store answers")
}

pub async fn a_rotation_moves_the_session_on(backend: Arc<Backend>) {
    // promise R2
    let (user, session) = signed_in(&backend).await;
    backend.clock.advance(SECOND);
    let outcome = rotate(&backend, backend.rotation(&user, &session, 0)).await;
    let RotationOutcome::Rotated(moved) = outcome else { panic!("{outcome:?}") };
    let idle_expires_at = backend.now().after(SessionLimits::default().idle_lifetime);
    let expected = Session { generation: 1, rotated_at: backend.now(), idle_expires_at, ..session };
    assert_eq!(moved, expected);
    assert_eq!(backend.sessions.find(expected.id).await.unwrap().unwrap().session, expected);
}

pub async fn of_parallel_rotations_one_wins_and_the_rest_repeat(backend: Arc<Backend>) {
    // promise R4
    let (user, session) = signed_in(&backend).await;
    let rotation = backend.rotation(&user, &session, 0);
    let outcomes = at_once(64, |_| {
        let backend = backend.clone();
        async move { rotate(&backend, rotation).await }
    });
    let outcomes = outcomes.await;
    let rotated = outcomes.iter().filter(|outcome| matches!(outcome, RotationOutcome::Rotated(_))).count();
    let same = |outcome: &&RotationOutcome| matches!(outcome, RotationOutcome::Repeated(at) if at.generation == 1);
    assert_eq!((rotated, outcomes.iter().filter(same).count()), (1, 63));
    assert!(backend.is_open(session.id).await);
}

pub async fn strict_parallel_rotations_end_the_session(backend: Arc<Backend>) {
    // promises R3, R4
    let (user, session) = signed_in(&backend).await;
    let mut rotation = backend.rotation(&user, &session, 0);
    rotation.limits.grace = Duration::ZERO;
    let outcomes = at_once(64, |_| {
        let backend = backend.clone();
        async move { rotate(&backend, rotation).await }
    });
    let outcomes = outcomes.await;
    let count = |is: fn(&RotationOutcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, RotationOutcome::Rotated(_))), 1);
    assert_eq!(count(|outcome| matches!(outcome, RotationOutcome::Replayed { .. })), 1);
    assert_eq!(count(|outcome| matches!(outcome, RotationOutcome::Gone)), 62);
    assert!(!backend.is_open(session.id).await);
    assert_eq!(backend.told(AuditKind::TokenReused, AuditOutcome::Failure).await, 1);
}

pub async fn the_last_token_repeats_within_the_grace_window_alone(backend: Arc<Backend>) {
    // promise R5
    let (user, session) = signed_in(&backend).await;
    let rotation = backend.rotation(&user, &session, 0);
    assert!(matches!(rotate(&backend, rotation).await, RotationOutcome::Rotated(_)));
    let grace = rotation.limits.grace;
    backend.clock.advance(grace.checked_sub(Duration::from_millis(1)).unwrap());
    let outcome = rotate(&backend, rotation).await;
    let RotationOutcome::Repeated(stands) = outcome else { panic!("{outcome:?}") };
    assert_eq!(stands, backend.sessions.find(session.id).await.unwrap().unwrap().session);
    backend.clock.advance(SECOND);
    assert!(matches!(rotate(&backend, rotation).await, RotationOutcome::Replayed { .. }));
}

pub async fn a_replayed_token_ends_its_session(backend: Arc<Backend>) {
    // promise R3
    let (user, session) = signed_in(&backend).await;
    let rotation = backend.rotation(&user, &session, 0);
    assert!(matches!(rotate(&backend, rotation).await, RotationOutcome::Rotated(_)));
    backend.clock.advance(60 * SECOND);
    let outcome = rotate(&backend, rotation).await;
    let RotationOutcome::Replayed { revocation } = outcome else { panic!("{outcome:?}") };
    assert_eq!(revocation.target, RevocationTarget::Session(session.id));
    assert_eq!(revocation.expires_at, rotation.revocation_expires_at);
    assert!(!backend.is_open(session.id).await);
    let page = backend.revocations.read(RevocationCursor::default(), backend.now()).await.unwrap();
    assert_eq!(page.revocations, [revocation]);
    let trail = backend.trail().await;
    let reuse = trail.iter().find(|told| told.kind == AuditKind::TokenReused.as_str()).expect("the replay is told");
    assert_eq!((reuse.success, reuse.session), (false, Some(session.id.as_uuid())));
    assert_eq!(reuse.subject, Some(user.id.as_uuid()));
    let successor = backend.rotation(&user, &session, 1);
    assert!(matches!(rotate(&backend, successor).await, RotationOutcome::Gone));
}

pub async fn an_older_token_is_replayed_even_within_the_grace_window(backend: Arc<Backend>) {
    // promise R5
    let (user, session) = signed_in(&backend).await;
    for presented in 0..2 {
        let rotation = backend.rotation(&user, &session, presented);
        assert!(matches!(rotate(&backend, rotation).await, RotationOutcome::Rotated(_)));
    }
    assert!(matches!(rotate(&backend, backend.rotation(&user, &session, 0)).await, RotationOutcome::Replayed { .. }));
}

pub async fn a_generation_ahead_opens_nothing(backend: Arc<Backend>) {
    let (user, session) = signed_in(&backend).await;
    for ahead in [1, 2, u64::MAX] {
        assert!(matches!(rotate(&backend, backend.rotation(&user, &session, ahead)).await, RotationOutcome::Gone));
    }
    assert!(backend.is_open(session.id).await);
    let absent = backend.new_session(&user).session;
    assert!(matches!(rotate(&backend, backend.rotation(&user, &absent, 0)).await, RotationOutcome::Gone));
}

pub async fn an_idle_or_old_session_is_gone(backend: Arc<Backend>) {
    // promise R7
    let (user, idle) = signed_in(&backend).await;
    let limits = SessionLimits::default();
    backend.clock.advance(limits.idle_lifetime);
    assert!(matches!(rotate(&backend, backend.rotation(&user, &idle, 0)).await, RotationOutcome::Gone));
    let mut new = backend.new_session(&user);
    new.session.expires_at = backend.now().after(3 * SECOND);
    let old = new.session.clone();
    assert!(matches!(backend.open(new).await, keystead::domain::session::SessionCreation::Created { .. }));
    backend.clock.advance(2 * SECOND);
    let outcome = rotate(&backend, backend.rotation(&user, &old, 0)).await;
    let RotationOutcome::Rotated(moved) = outcome else { panic!("{outcome:?}") };
    assert_eq!(moved.refresh_expires_at(), old.expires_at, "no refresh outlives the session");
    backend.clock.advance(SECOND);
    assert!(matches!(rotate(&backend, backend.rotation(&user, &old, 1)).await, RotationOutcome::Gone));
}

pub async fn an_ended_session_is_gone(backend: Arc<Backend>) {
    let (user, session) = signed_in(&backend).await;
    let context = backend.context();
    let ended = backend.sessions.end(user.id, EndScope::This(session.id), backend.later(), &context).await.unwrap();
    assert_eq!(ended.len(), 1);
    assert!(matches!(rotate(&backend, backend.rotation(&user, &session, 0)).await, RotationOutcome::Gone));
}

pub async fn a_changed_user_cannot_rotate(backend: Arc<Backend>) {
    // promise R8
    let (user, session) = signed_in(&backend).await;
    backend.raise_epoch(user.id).await;
    let rotation = backend.rotation(&user, &session, 0);
    assert!(matches!(rotate(&backend, rotation).await, RotationOutcome::UserChanged));
    let found = backend.sessions.find(session.id).await.unwrap().unwrap();
    assert_eq!(found.session, session, "nothing is written");
    let afresh = backend.rotation(&found.user, &session, 0);
    assert!(matches!(rotate(&backend, afresh).await, RotationOutcome::Rotated(_)));
}

pub async fn the_wrong_user_cannot_rotate(backend: Arc<Backend>) {
    let (_, session) = signed_in(&backend).await;
    let bob = backend.user("bob@example.com").await;
    assert!(matches!(rotate(&backend, backend.rotation(&bob, &session, 0)).await, RotationOutcome::Gone));
    assert!(backend.is_open(session.id).await);
}
