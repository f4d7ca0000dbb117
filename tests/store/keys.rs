//! Server keys, the audit trail and the probe.

use std::sync::Arc;

use keystead::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use keystead::domain::key::{KeyPurpose, KeyState, KeySwap, RingChange, SigningAlgorithm, StoredKey, StoredKeys};
use keystead::domain::revocation::{Revocation, RevocationCursor, RevocationTarget};

use crate::backend::Backend;
use crate::fixture::at_once;

fn key(backend: &Backend, id: &str, purpose: KeyPurpose, algorithm: Option<SigningAlgorithm>) -> StoredKey {
    let (created_at, state_since) = (backend.now(), backend.now());
    StoredKey {
        id: id.to_owned(),
        purpose,
        algorithm,
        state: KeyState::Next,
        sealed: vec![0, 9],
        created_at,
        state_since,
    }
}

fn created(detail: &str) -> AuditEvent {
    AuditEvent {
        kind: AuditKind::KeyCreated,
        outcome: AuditOutcome::Success,
        actor: None,
        subject: None,
        session: None,
        detail: Some(detail.to_owned()),
    }
}

async fn swap(backend: &Backend, version: i64, keys: Vec<StoredKey>) -> KeySwap {
    let change = RingChange { keys, revocations: Vec::new(), events: vec![created("ring")] };
    backend.keys.swap(version, change, &backend.context()).await.unwrap()
}

async fn load(backend: &Backend) -> StoredKeys {
    let mut stored = backend.keys.load().await.unwrap();
    stored.keys.sort_by(|left, right| left.id.cmp(&right.id));
    stored
}

pub async fn an_empty_store_has_no_keys(backend: Arc<Backend>) {
    assert!(load(&backend).await.keys.is_empty());
}

pub async fn a_swap_replaces_the_set_and_is_told(backend: Arc<Backend>) {
    let first = vec![
        key(&backend, "a", KeyPurpose::Signing, Some(SigningAlgorithm::Es256)),
        key(&backend, "b", KeyPurpose::Signing, Some(SigningAlgorithm::EdDsa)),
        key(&backend, "c", KeyPurpose::Refresh, None),
        key(&backend, "d", KeyPurpose::Lookup, None),
        key(&backend, "e", KeyPurpose::Mail, None),
    ];
    let empty = load(&backend).await.version;
    assert_eq!(swap(&backend, empty, first.clone()).await, KeySwap::Swapped);
    let stored = load(&backend).await;
    assert_eq!(stored.keys, first);
    assert_ne!(stored.version, empty);
    let mut second = first[..2].to_vec();
    second[0].state = KeyState::Active;
    second[1].state = KeyState::Retiring;
    assert_eq!(swap(&backend, stored.version, second.clone()).await, KeySwap::Swapped);
    assert_eq!(load(&backend).await.keys, second);
    assert_eq!(swap(&backend, stored.version, first).await, KeySwap::Lost);
    assert_eq!(load(&backend).await.keys, second, "who loses writes nothing");
    assert_eq!(backend.told(AuditKind::KeyCreated, AuditOutcome::Success).await, 2);
}

pub async fn a_removed_key_is_revoked_with_its_removal(backend: Arc<Backend>) {
    // promise T9
    let version = load(&backend).await.version;
    let revocation = Revocation { target: RevocationTarget::Key("a".to_owned()), expires_at: backend.later() };
    let change = || RingChange { keys: Vec::new(), revocations: vec![revocation.clone()], events: Vec::new() };
    assert_eq!(backend.keys.swap(version - 1, change(), &backend.context()).await.unwrap(), KeySwap::Lost);
    let live = async || backend.revocations.read(RevocationCursor::default(), backend.now()).await.unwrap().revocations;
    assert_eq!(live().await, [], "who loses revokes nothing");
    assert_eq!(backend.keys.swap(version, change(), &backend.context()).await.unwrap(), KeySwap::Swapped);
    assert_eq!(live().await, [revocation]);
}

pub async fn of_parallel_swaps_one_wins(backend: Arc<Backend>) {
    let version = load(&backend).await.version;
    let outcomes = at_once(16, |number| {
        let backend = backend.clone();
        async move {
            let keys = vec![key(&backend, &format!("key-{number}"), KeyPurpose::Refresh, None)];
            swap(&backend, version, keys).await
        }
    });
    let won = outcomes.await.into_iter().filter(|outcome| *outcome == KeySwap::Swapped).count();
    assert_eq!(won, 1);
    assert_eq!(load(&backend).await.keys.len(), 1);
}

pub async fn an_event_is_recorded_as_it_was_told(backend: Arc<Backend>) {
    // promise G1
    let user = backend.user("ada@example.com").await;
    let session = backend.session(&user).await;
    let event = AuditEvent {
        kind: AuditKind::LoginFailed,
        outcome: AuditOutcome::Failure,
        actor: None,
        subject: Some(user.id.into()),
        session: Some(session.id),
        detail: Some("Login".to_owned()),
    };
    backend.audit.record(event, &backend.context()).await.unwrap();
    let trail = backend.trail().await;
    let told = trail.iter().find(|told| told.kind == AuditKind::LoginFailed.as_str()).expect("the event");
    assert_eq!((told.success, told.subject), (false, Some(user.id.as_uuid())));
    assert_eq!((told.session, told.detail.as_deref()), (Some(session.id.as_uuid()), Some("Login")));
}

pub async fn a_store_that_runs_answers(backend: Arc<Backend>) {
    assert!(backend.probe.time().await.is_ok());
}
