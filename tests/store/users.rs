//! Accounts.

use std::sync::Arc;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::id::UserId;
use keystead::domain::mail::MailKind;
use keystead::domain::user::{Creation, Epoch, ROLE_USER, UserState};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, email, reread};

pub async fn a_new_account_is_active_and_found(backend: Arc<Backend>) {
    let user = backend.user("Ada@Example.com").await;
    assert_eq!((user.state, user.epoch, user.email_verified), (UserState::Active, Epoch(0), false));
    assert_eq!(user.roles, [ROLE_USER]);
    assert_eq!((user.created_at, user.updated_at), (backend.now(), backend.now()));
    assert_eq!(user.email.as_str(), "Ada@example.com");
    assert_eq!(reread(&backend, &user).await, user);
    let account = backend.users.find_by_email(&email("aDA@example.COM")).await.unwrap().unwrap();
    assert_eq!(account.user, user);
    assert_eq!(account.password_hash.unwrap().as_str(), "hash-0");
}

pub async fn a_new_account_is_mailed_and_told(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    let mails = backend.outbox.lease(9, LEASE, backend.now()).await.unwrap();
    assert_eq!(mails.iter().map(|mail| mail.kind).collect::<Vec<_>>(), [MailKind::EmailVerification]);
    assert_eq!(mails[0].requested_for, user.email);
    let trail = backend.trail().await;
    assert_eq!(trail.len(), 1);
    assert_eq!((trail[0].kind.as_str(), trail[0].success), (AuditKind::UserCreated.as_str(), true));
    assert_eq!(trail[0].subject, Some(user.id.as_uuid()));
}

pub async fn an_address_is_taken_whatever_its_case(backend: Arc<Backend>) {
    // promise L5
    backend.user("ada@example.com").await;
    let twin = backend.users.create(backend.new_user("ADA@EXAMPLE.com"), false, &backend.context()).await.unwrap();
    assert!(matches!(twin, Creation::EmailTaken));
    // promise G2: a losing outcome is told too.
    assert_eq!(backend.told(AuditKind::UserCreated, AuditOutcome::Failure).await, 1);
    let mails = backend.outbox.lease(9, LEASE, backend.now()).await.unwrap();
    assert_eq!(mails.len(), 1, "nobody asked to tell the owner");
}

pub async fn the_owner_of_a_taken_address_is_told_if_asked(backend: Arc<Backend>) {
    backend.user("ada@example.com").await;
    let twin = backend.users.create(backend.new_user("Ada@example.com"), true, &backend.context()).await.unwrap();
    assert!(matches!(twin, Creation::EmailTaken));
    let mails = backend.outbox.lease(9, LEASE, backend.now()).await.unwrap();
    assert!(mails.iter().any(|mail| mail.kind == MailKind::RegistrationAttempt));
    assert_eq!(mails.len(), 2);
}

pub async fn of_parallel_registrations_one_wins(backend: Arc<Backend>) {
    let outcomes = at_once(16, |_| {
        let backend = backend.clone();
        async move { backend.users.create(backend.new_user("ada@example.com"), false, &backend.context()).await }
    });
    let outcomes = outcomes.await;
    let created = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Creation::Created(_)))).count();
    let taken = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Creation::EmailTaken))).count();
    assert_eq!((created, taken), (1, 15));
}

pub async fn nobody_is_found_where_nobody_is(backend: Arc<Backend>) {
    let id = UserId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    assert!(backend.users.find(id).await.unwrap().is_none());
    assert!(backend.users.find_by_email(&email("nobody@example.com")).await.unwrap().is_none());
}
