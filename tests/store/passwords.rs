//! Passwords that their owners replace.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::id::UserId;
use keystead::domain::mail::MailKind;
use keystead::domain::one_time_token::{ResetOutcome, TokenPurpose};
use keystead::domain::ports::passwords::{PasswordChange, PasswordChangeOutcome};
use keystead::domain::revocation::{RevocationCursor, RevocationTarget};
use keystead::domain::session::{RotationOutcome, Session, SessionCreation};
use keystead::domain::user::{Epoch, PasswordHash, Revision, User};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, keys_of, reread};

pub async fn a_change_of_password_does_all_that_it_promises(backend: Arc<Backend>) {
    // promises P6, T8
    let user = backend.user("ada@example.com").await;
    let [own, other] = [backend.session(&user).await, backend.session(&user).await];
    backend.clock.advance(Duration::from_secs(1));
    let revocations = changed(change_in(&backend, &user, &own).await);
    let after = reread(&backend, &user).await;
    assert_eq!((after.epoch, after.revision, after.updated_at), (Epoch(1), Revision(1), backend.now()));
    assert!(!after.email_verified, "nothing was proved of the address");
    assert_eq!(hash(&backend, user.id).await, "hash-1");
    assert!(backend.is_open(own.id).await);
    assert!(!backend.is_open(other.id).await);
    let revoked = RevocationTarget::User { id: user.id, min_epoch: Epoch(1) };
    assert!(revocations.contains(&revoked));
    let page = backend.revocations.read(RevocationCursor::default(), backend.now()).await.unwrap();
    let stored = page.revocations.iter().find(|revocation| revocation.target == revoked);
    assert_eq!(stored.unwrap().expires_at, backend.later());
    let mails = backend.outbox.lease(9, LEASE, backend.now()).await.unwrap();
    assert!(mails.iter().any(|mail| mail.kind == MailKind::PasswordChanged && mail.requested_for == user.email));
}

pub async fn a_change_of_password_is_told_by_its_actor(backend: Arc<Backend>) {
    // promise G2
    let user = backend.user("ada@example.com").await;
    let [own, other] = [backend.session(&user).await, backend.session(&user).await];
    changed(change_in(&backend, &user, &own).await);
    let trail = backend.trail().await;
    for (kind, session) in [(AuditKind::PasswordChanged, own.id), (AuditKind::SessionEnded, other.id)] {
        let told: Vec<_> = trail.iter().filter(|told| told.kind == kind.as_str()).collect();
        assert_eq!(told.len(), 1, "{kind:?}");
        assert!(told[0].success);
        assert_eq!((told[0].actor, told[0].subject), (Some(user.id.as_uuid()), Some(user.id.as_uuid())));
        assert_eq!(told[0].session, Some(session.as_uuid()), "{kind:?}");
    }
}

pub async fn the_session_that_changed_the_password_goes_on_with_the_next_epoch(backend: Arc<Backend>) {
    // promise R8
    let user = backend.user("ada@example.com").await;
    let own = backend.session(&user).await;
    changed(change_in(&backend, &user, &own).await);
    let as_read_before = backend.sessions.rotate(backend.rotation(&user, &own, 0), &backend.context()).await;
    assert!(matches!(as_read_before, Ok(RotationOutcome::UserChanged)));
    let reread = reread(&backend, &user).await;
    let read_afresh = backend.sessions.rotate(backend.rotation(&reread, &own, 0), &backend.context()).await;
    assert!(matches!(read_afresh, Ok(RotationOutcome::Rotated(_))));
}

pub async fn a_change_of_password_kills_mailed_tokens(backend: Arc<Backend>) {
    // promise X3
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let own = backend.session(&ada).await;
    let mut tokens = Vec::new();
    for purpose in [TokenPurpose::PasswordReset, TokenPurpose::EmailVerification] {
        tokens.push((backend.token(&ada, purpose).await, purpose));
    }
    let of_bob = backend.token(&bob, TokenPurpose::PasswordReset).await;
    changed(change_in(&backend, &ada, &own).await);
    for (hash, purpose) in &tokens {
        assert!(backend.tokens.find(hash, *purpose, backend.now()).await.unwrap().is_none(), "{purpose:?}");
    }
    let reset = backend.tokens.reset_password(backend.reset(tokens[0].0), &backend.context()).await;
    assert!(matches!(reset, Ok(ResetOutcome::Refused)));
    assert!(backend.tokens.find(&of_bob, TokenPurpose::PasswordReset, backend.now()).await.unwrap().is_some());
}

pub async fn a_change_of_password_trusts_no_source_but_its_own(backend: Arc<Backend>) {
    // promises L1, L2
    let user = backend.user("ada@example.com").await;
    for source in [1, 2] {
        let mut new = backend.new_session(&user);
        new.attempt = Some(keys_of(1, source));
        assert!(matches!(backend.open(new).await, SessionCreation::Created { .. }));
    }
    let own = backend.session(&user).await;
    for _ in 0..4 {
        assert!(backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap().in_a_row > 0);
    }
    changed(change_in(&backend, &user, &own).await);
    let here = backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap();
    assert_eq!((here.in_a_row, here.known_source), (1, true));
    assert!(!backend.attempts.count(&keys_of(1, 2), &backend.context()).await.unwrap().known_source);
}

pub async fn a_password_that_moved_meanwhile_is_left_alone(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let [own, other] = [backend.session(&user).await, backend.session(&user).await];
    let good = change(&backend, &user, &own, "hash-1");
    let other_hash = PasswordChange { from: PasswordHash::new("hash-9"), ..good.clone() };
    let other_epoch = PasswordChange { seen_epoch: Epoch(7), ..good.clone() };
    let nobody = UserId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    let of_nobody = PasswordChange { user: nobody, ..good.clone() };
    for stale in [other_hash, other_epoch, of_nobody] {
        assert!(is_overtaken(&run(&backend, &user, &own, stale).await));
    }
    assert!(backend.is_open(other.id).await);
    backend.disable(user.id).await;
    let of_the_disabled = PasswordChange { seen_epoch: reread(&backend, &user).await.epoch, ..good };
    assert!(is_overtaken(&run(&backend, &user, &own, of_the_disabled).await));
    assert_eq!(hash(&backend, user.id).await, "hash-0", "nothing is written");
    assert_eq!(backend.told(AuditKind::PasswordChanged, AuditOutcome::Success).await, 0);
}

pub async fn of_parallel_changes_of_one_password_one_wins(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let own = backend.session(&user).await;
    let outcomes = at_once(16, |number| {
        let (backend, user, own) = (backend.clone(), user.clone(), own.clone());
        async move {
            let change = change(&backend, &user, &own, &format!("hash-of-{number}"));
            (!is_overtaken(&run(&backend, &user, &own, change).await)).then_some(number)
        }
    });
    let winners: Vec<u8> = outcomes.await.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(hash(&backend, user.id).await, format!("hash-of-{}", winners[0]));
    assert_eq!(reread(&backend, &user).await.epoch, Epoch(1));
}

pub async fn no_sign_in_outlives_a_change_of_password_that_races_it(backend: Arc<Backend>) {
    // promises P6, T8
    let user = backend.user("ada@example.com").await;
    let own = backend.session(&user).await;
    let opened = at_once(33, |number| {
        let (backend, user, own) = (backend.clone(), user.clone(), own.clone());
        async move {
            if number == 16 {
                changed(change_in(&backend, &user, &own).await);
                return None;
            }
            let new = backend.new_session(&user);
            let id = new.session.id;
            matches!(backend.open(new).await, SessionCreation::Created { .. }).then_some(id)
        }
    });
    for id in opened.await.into_iter().flatten() {
        assert!(!backend.is_open(id).await, "a session of the old password is still open");
    }
    assert!(backend.is_open(own.id).await);
}

fn change(backend: &Backend, user: &User, own: &Session, to: &str) -> PasswordChange {
    PasswordChange {
        user: user.id,
        session: own.id,
        seen_epoch: user.epoch,
        from: PasswordHash::new("hash-0"),
        to: PasswordHash::new(to),
        attempt: keys_of(1, 1),
        revocation_expires_at: backend.later(),
    }
}

async fn run(backend: &Backend, user: &User, own: &Session, change: PasswordChange) -> PasswordChangeOutcome {
    backend.passwords.change(change, &backend.context_of(user, own.id)).await.expect("the store answers")
}

/// A change that nothing stands in the way of.
async fn change_in(backend: &Backend, user: &User, own: &Session) -> PasswordChangeOutcome {
    run(backend, user, own, change(backend, user, own, "hash-1")).await
}

fn changed(outcome: PasswordChangeOutcome) -> Vec<RevocationTarget> {
    let PasswordChangeOutcome::Changed { revocations } = outcome else { panic!("the password is not changed") };
    revocations.into_iter().map(|revocation| revocation.target).collect()
}

fn is_overtaken(outcome: &PasswordChangeOutcome) -> bool {
    matches!(outcome, PasswordChangeOutcome::UserChanged)
}

async fn hash(backend: &Backend, user: UserId) -> String {
    let account = backend.passwords.account(user).await.expect("the store answers").expect("an account");
    account.password_hash.expect("a password").as_str().to_owned()
}
