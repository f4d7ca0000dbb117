//! Sessions: opening and ending.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::id::SessionId;
use keystead::domain::mail::MailKind;
use keystead::domain::revocation::{Revocation, RevocationTarget};
use keystead::domain::session::{EndScope, Rehash, SessionCreation};
use keystead::domain::user::{PasswordHash, User};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, keys_of, reread};

pub async fn a_session_is_found_with_its_user(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let session = backend.session(&user).await;
    let found = backend.sessions.find(session.id).await.unwrap().unwrap();
    assert_eq!((found.session, found.user), (session.clone(), user.clone()));
    assert_eq!(backend.told(AuditKind::LoginSucceeded, AuditOutcome::Success).await, 1);
    assert_eq!(backend.told(AuditKind::SessionCreated, AuditOutcome::Success).await, 1);
    let absent = backend.new_session(&user).session.id;
    assert!(backend.sessions.find(absent).await.unwrap().is_none());
}

pub async fn a_changed_user_gets_no_session(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let mut new = backend.new_session(&user);
    new.rehash = Some(rehash("hash-0", "renewed"));
    new.attempt = Some(keys_of(1, 1));
    let id = new.session.id;
    backend.raise_epoch(user.id).await;
    assert!(matches!(backend.open(new).await, SessionCreation::UserChanged));
    assert!(backend.sessions.find(id).await.unwrap().is_none());
    assert_eq!(hash(&backend, &user).await, "hash-0", "nothing is written");
    let attempt = backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap();
    assert!(!attempt.known_source, "nothing is written");
    assert_eq!(backend.told(AuditKind::SessionCreated, AuditOutcome::Success).await, 0);
}

pub async fn a_disabled_user_gets_no_session(backend: Arc<Backend>) {
    // promise R8
    let user = backend.user("ada@example.com").await;
    backend.disable(user.id).await;
    let new = backend.new_session(&reread(&backend, &user).await);
    assert!(matches!(backend.open(new).await, SessionCreation::UserChanged));
}

pub async fn no_session_outlives_a_change_that_races_it(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let token = backend.token(&user, keystead::domain::one_time_token::TokenPurpose::PasswordReset).await;
    let outcomes = at_once(33, |number| {
        let (backend, user) = (backend.clone(), user.clone());
        async move {
            if number == 16 {
                let reset = backend.tokens.reset_password(backend.reset(token), &backend.context()).await.unwrap();
                assert!(matches!(reset, keystead::domain::one_time_token::ResetOutcome::Done { .. }));
                return None;
            }
            let new = backend.new_session(&user);
            let id = new.session.id;
            matches!(backend.open(new).await, SessionCreation::Created { .. }).then_some(id)
        }
    });
    for id in outcomes.await.into_iter().flatten() {
        assert!(!backend.is_open(id).await, "a session from before the reset is still open");
    }
    assert!(matches!(backend.open(backend.new_session(&user)).await, SessionCreation::UserChanged));
}

pub async fn a_sign_in_clears_the_failures(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    for _ in 0..5 {
        assert!(backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap().in_a_row > 0);
    }
    sign_in_from(&backend, &user, 1).await;
    assert_eq!(backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap().in_a_row, 1);
}

pub async fn an_outdated_hash_is_renewed_if_it_is_still_there(backend: Arc<Backend>) {
    // promise P4
    let user = backend.user("ada@example.com").await;
    for (from, to, expected) in [("other", "lost", "hash-0"), ("hash-0", "renewed", "renewed")] {
        let mut new = backend.new_session(&user);
        new.rehash = Some(rehash(from, to));
        assert!(matches!(backend.open(new).await, SessionCreation::Created { .. }));
        assert_eq!(hash(&backend, &user).await, expected);
    }
    assert_eq!(backend.told(AuditKind::PasswordRehashed, AuditOutcome::Success).await, 1);
    assert_eq!(reread(&backend, &user).await.epoch, user.epoch, "the password is the same");
}

pub async fn a_sign_in_from_a_new_source_is_mailed(backend: Arc<Backend>) {
    // promise E3
    let user = backend.user("ada@example.com").await;
    let mut mailed = Vec::new();
    for source in [1, 1, 2, 2, 1] {
        sign_in_from(&backend, &user, source).await;
        let mails = backend.outbox.lease(9, LEASE, backend.now()).await.unwrap();
        mailed.push(mails.iter().filter(|mail| mail.kind == MailKind::NewSignIn).count());
    }
    assert_eq!(mailed, [0, 0, 1, 0, 0]);
}

pub async fn the_oldest_sessions_over_the_cap_end(backend: Arc<Backend>) {
    // promise E3
    let user = backend.user("ada@example.com").await;
    let mut opened = Vec::new();
    for _ in 0..5 {
        let mut new = backend.new_session(&user);
        new.max_sessions = 3;
        opened.push(new.session.id);
        let SessionCreation::Created { revocations } = backend.open(new).await else { panic!("no session") };
        let fallen = opened.len().checked_sub(4).map(|oldest| RevocationTarget::Session(opened[oldest]));
        let targets: Vec<_> = revocations.into_iter().map(|revocation| revocation.target).collect();
        assert_eq!(targets, Vec::from_iter(fallen));
        backend.clock.advance(Duration::from_secs(1));
    }
    for (number, id) in opened.into_iter().enumerate() {
        assert_eq!(backend.is_open(id).await, number >= 2, "session {number}");
    }
    assert_eq!(backend.told(AuditKind::SessionEnded, AuditOutcome::Success).await, 2);
}

pub async fn parallel_sign_ins_keep_the_cap(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let opened = at_once(24, |_| {
        let (backend, user) = (backend.clone(), user.clone());
        async move {
            let mut new = backend.new_session(&user);
            new.max_sessions = 3;
            let id = new.session.id;
            assert!(matches!(backend.open(new).await, SessionCreation::Created { .. }));
            id
        }
    });
    let mut open = 0;
    for id in opened.await {
        open += usize::from(backend.is_open(id).await);
    }
    assert_eq!(open, 3);
}

pub async fn scopes_end_what_they_name(backend: Arc<Backend>) {
    let all: fn(SessionId) -> EndScope = |_| EndScope::All;
    for (number, (scope, expected)) in [
        (EndScope::This as fn(_) -> _, [false, true, true]),
        (EndScope::Others, [true, false, false]),
        (all, [false; 3]),
    ]
    .into_iter()
    .enumerate()
    {
        let user = backend.user(&format!("ada{number}@example.com")).await;
        let sessions = [backend.session(&user).await, backend.session(&user).await, backend.session(&user).await];
        let told_before = backend.told(AuditKind::SessionEnded, AuditOutcome::Success).await;
        let scope = scope(sessions[0].id);
        let ended = end(&backend, &user, scope).await;
        let open = [
            backend.is_open(sessions[0].id).await,
            backend.is_open(sessions[1].id).await,
            backend.is_open(sessions[2].id).await,
        ];
        assert_eq!(open, expected, "{scope:?}");
        let gone = expected.iter().filter(|open| !**open).count();
        assert_eq!(ended.len(), gone, "{scope:?}");
        assert!(ended.iter().all(|revocation| revocation.expires_at == backend.later()));
        assert_eq!(backend.told(AuditKind::SessionEnded, AuditOutcome::Success).await - told_before, gone);
    }
}

pub async fn ending_twice_ends_once(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    backend.session(&user).await;
    let outcomes = at_once(16, |_| {
        let (backend, user) = (backend.clone(), user.clone());
        async move { end(&backend, &user, EndScope::All).await.len() }
    });
    assert_eq!(outcomes.await.into_iter().sum::<usize>(), 1);
    assert_eq!(backend.told(AuditKind::SessionEnded, AuditOutcome::Success).await, 1);
}

pub async fn the_sessions_of_others_are_safe(backend: Arc<Backend>) {
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let session = backend.session(&bob).await;
    for scope in [EndScope::This(session.id), EndScope::Others(session.id), EndScope::All] {
        assert!(end(&backend, &ada, scope).await.is_empty());
    }
    assert!(backend.is_open(session.id).await);
}

async fn end(backend: &Backend, user: &User, scope: EndScope) -> Vec<Revocation> {
    backend.sessions.end(user.id, scope, backend.later(), &backend.context()).await.unwrap()
}

async fn sign_in_from(backend: &Backend, user: &User, source: u8) {
    let mut new = backend.new_session(user);
    new.attempt = Some(keys_of(1, source));
    assert!(matches!(backend.open(new).await, SessionCreation::Created { .. }));
}

async fn hash(backend: &Backend, user: &User) -> String {
    let account = backend.users.find_by_email(&user.email).await.unwrap().unwrap();
    account.password_hash.unwrap().as_str().to_owned()
}

fn rehash(from: &str, to: &str) -> Rehash {
    Rehash { from: PasswordHash::new(from), to: PasswordHash::new(to) }
}
