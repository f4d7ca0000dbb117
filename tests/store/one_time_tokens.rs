//! Mailed tokens.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::mail::MailKind;
use keystead::domain::one_time_token::{ResetOutcome, TokenHash, TokenPurpose, VerificationOutcome};
use keystead::domain::revocation::{RevocationCursor, RevocationTarget};
use keystead::domain::session::SessionCreation;
use keystead::domain::user::{Epoch, Revision};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, keys_of, reread};

const RESET: TokenPurpose = TokenPurpose::PasswordReset;
const VERIFICATION: TokenPurpose = TokenPurpose::EmailVerification;

async fn serves(backend: &Backend, hash: TokenHash, purpose: TokenPurpose) -> bool {
    backend.tokens.find(&hash, purpose, backend.now()).await.unwrap().is_some()
}

async fn reset(backend: &Backend, hash: TokenHash) -> ResetOutcome {
    backend.tokens.reset_password(backend.reset(hash), &backend.context()).await.expect("the store answers")
}

async fn verify(backend: &Backend, hash: TokenHash) -> VerificationOutcome {
    backend.tokens.verify_email(&hash, &backend.context()).await.expect("the store answers")
}

pub async fn a_token_is_found_for_its_purpose_until_it_expires(backend: Arc<Backend>) {
    // promise X1
    let user = backend.user("ada@example.com").await;
    let hash = backend.token(&user, RESET).await;
    let found = backend.tokens.find(&hash, RESET, backend.now()).await.unwrap();
    assert_eq!(found.unwrap(), user);
    assert!(!serves(&backend, hash, VERIFICATION).await);
    assert!(!serves(&backend, backend.token_hash(), RESET).await);
    assert!(matches!(verify(&backend, hash).await, VerificationOutcome::Refused));
    backend.clock.advance(Duration::from_secs(1_799));
    assert!(serves(&backend, hash, RESET).await, "looking and a wrong purpose use nothing up");
    backend.clock.advance(Duration::from_secs(1));
    assert!(!serves(&backend, hash, RESET).await);
    assert!(matches!(reset(&backend, hash).await, ResetOutcome::Refused));
}

pub async fn a_newer_token_kills_the_older(backend: Arc<Backend>) {
    // promise X3
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let older = backend.token(&ada, RESET).await;
    let others = [(backend.token(&ada, VERIFICATION).await, VERIFICATION), (backend.token(&bob, RESET).await, RESET)];
    let newer = backend.token(&ada, RESET).await;
    assert!(!serves(&backend, older, RESET).await);
    assert!(matches!(reset(&backend, older).await, ResetOutcome::Refused));
    assert!(serves(&backend, newer, RESET).await);
    for (hash, purpose) in others {
        assert!(serves(&backend, hash, purpose).await, "another user's or purpose's token died");
    }
}

pub async fn a_reset_does_all_that_it_promises(backend: Arc<Backend>) {
    // promise X4
    let user = backend.user("ada@example.com").await;
    let sessions = [backend.session(&user).await, backend.session(&user).await];
    let hash = backend.token(&user, RESET).await;
    for _ in 0..4 {
        assert!(backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap().in_a_row > 0);
    }
    backend.clock.advance(Duration::from_secs(1));
    let ResetOutcome::Done { revocations } = reset(&backend, hash).await else { panic!("refused") };
    let after = reread(&backend, &user).await;
    assert_eq!((after.email_verified, after.epoch, after.updated_at), (true, Epoch(1), backend.now()));
    assert_eq!(after.revision, Revision(1), "what was decided before is not written over it");
    let account = backend.users.find_by_email(&user.email).await.unwrap().unwrap();
    assert_eq!(account.password_hash.unwrap().as_str(), "hash-1");
    for session in sessions {
        assert!(!backend.is_open(session.id).await);
    }
    let revoked = RevocationTarget::User { id: user.id, min_epoch: Epoch(1) };
    assert!(revocations.iter().any(|revocation| revocation.target == revoked));
    let page = backend.revocations.read(RevocationCursor::default(), backend.now()).await.unwrap();
    assert!(page.revocations.iter().any(|revocation| revocation.target == revoked));
    assert_eq!(backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap().in_a_row, 1);
    let mails = backend.outbox.lease(9, LEASE, backend.now()).await.unwrap();
    assert!(mails.iter().any(|mail| mail.kind == MailKind::PasswordChanged && mail.requested_for == user.email));
    assert_eq!(backend.told(AuditKind::PasswordChanged, AuditOutcome::Success).await, 1);
    assert!(matches!(reset(&backend, hash).await, ResetOutcome::Refused), "a token works once");
}

pub async fn a_refused_reset_is_told(backend: Arc<Backend>) {
    // promise G2
    assert!(matches!(reset(&backend, backend.token_hash()).await, ResetOutcome::Refused));
    assert_eq!(backend.told(AuditKind::PasswordChanged, AuditOutcome::Failure).await, 1);
    assert!(matches!(verify(&backend, backend.token_hash()).await, VerificationOutcome::Refused));
    assert_eq!(backend.told(AuditKind::EmailVerified, AuditOutcome::Failure).await, 1);
}

pub async fn of_parallel_resets_one_works(backend: Arc<Backend>) {
    // promise X2
    let user = backend.user("ada@example.com").await;
    let hash = backend.token(&user, RESET).await;
    let outcomes = at_once(64, |_| {
        let backend = backend.clone();
        async move { matches!(reset(&backend, hash).await, ResetOutcome::Done { .. }) }
    });
    assert_eq!(outcomes.await.into_iter().filter(|done| *done).count(), 1);
    assert_eq!(reread(&backend, &user).await.epoch, Epoch(1));
}

pub async fn a_reset_kills_the_other_tokens(backend: Arc<Backend>) {
    // promise X3
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let (verification, of_bob) = (backend.token(&ada, VERIFICATION).await, backend.token(&bob, RESET).await);
    let hash = backend.token(&ada, RESET).await;
    assert!(matches!(reset(&backend, hash).await, ResetOutcome::Done { .. }));
    assert!(!serves(&backend, verification, VERIFICATION).await);
    assert!(serves(&backend, of_bob, RESET).await);
}

pub async fn an_address_is_verified_once(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let hash = backend.token(&user, VERIFICATION).await;
    assert!(matches!(reset(&backend, hash).await, ResetOutcome::Refused), "one is never accepted for the other");
    let outcomes = at_once(16, |_| {
        let backend = backend.clone();
        async move { verify(&backend, hash).await }
    });
    let outcomes = outcomes.await;
    let done = |outcome: VerificationOutcome| match outcome {
        VerificationOutcome::Done(user) => Some(user),
        VerificationOutcome::Refused => None,
    };
    let verified: Vec<_> = outcomes.into_iter().filter_map(done).collect();
    assert_eq!(verified.len(), 1);
    assert!(verified[0].email_verified);
    assert_eq!(verified[0], reread(&backend, &user).await);
    assert_eq!((verified[0].epoch, verified[0].revision), (user.epoch, Revision(1)));
    assert_eq!(backend.told(AuditKind::EmailVerified, AuditOutcome::Success).await, 1);
}

pub async fn a_disabled_user_is_served_by_no_token(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let hash = backend.token(&user, RESET).await;
    backend.disable(user.id).await;
    assert!(!serves(&backend, hash, RESET).await);
    assert!(matches!(reset(&backend, hash).await, ResetOutcome::Refused));
    let changed = reread(&backend, &user).await;
    assert!(matches!(backend.open(backend.new_session(&changed)).await, SessionCreation::UserChanged));
}

pub async fn a_reset_forgets_the_sources_that_the_old_password_let_in(backend: Arc<Backend>) {
    // promise L1
    let user = backend.user("ada@example.com").await;
    let mut new = backend.new_session(&user);
    new.attempt = Some(keys_of(1, 1));
    assert!(matches!(backend.open(new).await, SessionCreation::Created { .. }));
    assert!(backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap().known_source);
    let hash = backend.token(&user, RESET).await;
    assert!(matches!(reset(&backend, hash).await, ResetOutcome::Done { .. }));
    assert!(!backend.attempts.count(&keys_of(1, 1), &backend.context()).await.unwrap().known_source);
}
