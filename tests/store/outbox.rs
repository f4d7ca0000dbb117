//! The outbox.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::AuditKind;
use keystead::domain::mail::{Backlog, MailKind, PreparedMail, QueuedMail};
use keystead::domain::one_time_token::TokenPurpose;
use keystead::domain::ports::Preparation;

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, email};

const RESET: MailKind = MailKind::PasswordReset;

async fn enqueue(backend: &Backend, address: &str) {
    backend.outbox.enqueue(RESET, &email(address), &backend.context()).await.unwrap();
}

async fn lease(backend: &Backend, limit: u32) -> Vec<QueuedMail> {
    backend.outbox.lease(limit, LEASE, backend.now()).await.unwrap()
}

pub async fn a_request_looks_the_same_for_every_address(backend: Arc<Backend>) {
    // promise L6
    backend.user("ada@example.com").await;
    assert_eq!(lease(&backend, 9).await.len(), 1, "the verification");
    for address in ["Ada@example.com", "nobody@example.com"] {
        enqueue(&backend, address).await;
    }
    let mails = lease(&backend, 9).await;
    let seen: Vec<_> = mails.iter().map(|mail| (mail.kind, mail.sealed.is_none(), mail.queued_at)).collect();
    assert_eq!(seen, [(RESET, true, backend.now()); 2]);
    let asked: HashSet<_> = mails.iter().map(|mail| mail.requested_for.as_str()).collect();
    assert_eq!(asked, HashSet::from(["Ada@example.com", "nobody@example.com"]));
    let trail = backend.trail().await;
    let requests: Vec<_> = trail.iter().filter(|told| told.kind == AuditKind::ResetRequested.as_str()).collect();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0], requests[1]);
}

pub async fn two_workers_get_different_mails(backend: Arc<Backend>) {
    for number in 0..40 {
        enqueue(&backend, &format!("user{number}@example.com")).await;
    }
    let leased = at_once(8, |_| {
        let backend = backend.clone();
        async move { lease(&backend, 5).await }
    });
    let mut leased: Vec<QueuedMail> = leased.await.into_iter().flatten().collect();
    let once: HashSet<_> = leased.iter().map(|mail| mail.id).collect();
    assert_eq!(once.len(), leased.len(), "two workers hold one mail");
    // A worker may have met rows that another one held: what it left comes with the next lease.
    leased.extend(lease(&backend, 100).await);
    let all: HashSet<_> = leased.iter().map(|mail| mail.id).collect();
    assert_eq!((all.len(), leased.len()), (40, 40));
}

pub async fn a_lease_hides_and_ends(backend: Arc<Backend>) {
    let mut addresses = Vec::new();
    for number in 0..3 {
        addresses.push(format!("user{number}@example.com"));
        enqueue(&backend, &addresses[number]).await;
        backend.clock.advance(Duration::from_millis(1));
    }
    let oldest = lease(&backend, 2).await;
    let asked: Vec<_> = oldest.iter().map(|mail| mail.requested_for.as_str()).collect();
    assert_eq!(asked, addresses[..2], "the oldest first");
    assert_eq!(lease(&backend, 9).await.len(), 1);
    assert!(lease(&backend, 9).await.is_empty());
    backend.clock.advance(LEASE);
    assert_eq!(lease(&backend, 9).await.len(), 3, "a worker that died holds nothing for ever");
}

pub async fn a_postponed_mail_comes_back_and_counts(backend: Arc<Backend>) {
    enqueue(&backend, "ada@example.com").await;
    let first = lease(&backend, 1).await.remove(0);
    let until = backend.now().after(2 * LEASE);
    backend.outbox.postpone(first.id, until).await.unwrap();
    backend.clock.advance(LEASE);
    assert!(lease(&backend, 1).await.is_empty(), "put off beyond the lease");
    backend.clock.advance(LEASE);
    let second = lease(&backend, 1).await.remove(0);
    assert_eq!((second.id, second.queued_at), (first.id, first.queued_at));
    assert_eq!((first.attempts, second.attempts), (0, 1));
}

pub async fn a_sealed_message_is_kept_until_the_mail_is_removed(backend: Arc<Backend>) {
    enqueue(&backend, "ada@example.com").await;
    let mail = lease(&backend, 1).await.remove(0);
    let prepared = PreparedMail { id: mail.id, sealed: vec![0, 255, 7], token: None };
    assert_eq!(backend.outbox.prepare(prepared, 3, backend.now()).await, Ok(Preparation::Stored));
    backend.clock.advance(LEASE);
    assert_eq!(lease(&backend, 1).await[0].sealed, Some(vec![0, 255, 7]));
    for _ in 0..2 {
        backend.outbox.remove(mail.id).await.unwrap();
    }
    backend.clock.advance(LEASE);
    assert!(lease(&backend, 1).await.is_empty());
}

pub async fn only_so_many_tokens_an_hour(backend: Arc<Backend>) {
    // promise L6
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let reset = TokenPurpose::PasswordReset;
    let mut last = backend.token_hash();
    for expected in [Preparation::Stored, Preparation::Stored, Preparation::Stored, Preparation::TooMany] {
        let (mail, hash) = (backend.queued(RESET).await, backend.token_hash());
        assert_eq!(backend.prepare(mail, &ada, reset, hash, 3).await, expected);
        if expected == Preparation::Stored {
            last = hash;
        }
        backend.outbox.remove(mail).await.unwrap();
    }
    let found = backend.tokens.find(&last, reset, backend.now()).await.unwrap();
    assert!(found.is_some(), "a token too many kills none");
    for (user, purpose) in [(&ada, TokenPurpose::EmailVerification), (&bob, reset)] {
        let mail = backend.queued(RESET).await;
        assert_eq!(backend.prepare(mail, user, purpose, backend.token_hash(), 3).await, Preparation::Stored);
        backend.outbox.remove(mail).await.unwrap();
    }
    backend.clock.advance(Duration::from_hours(1));
    let mail = backend.queued(RESET).await;
    assert_eq!(backend.prepare(mail, &ada, reset, backend.token_hash(), 3).await, Preparation::Stored);
}

pub async fn what_waits_is_counted_leased_or_not(backend: Arc<Backend>) {
    assert_eq!(backend.outbox.backlog().await, Ok(Backlog::default()));
    let first = backend.now();
    for address in ["ada@example.com", "bob@example.com"] {
        enqueue(&backend, address).await;
        backend.clock.advance(Duration::from_secs(1));
    }
    let oldest = lease(&backend, 1).await.remove(0);
    assert_eq!(backend.outbox.backlog().await, Ok(Backlog { mails: 2, oldest: Some(first) }));
    backend.outbox.remove(oldest.id).await.unwrap();
    let left = Backlog { mails: 1, oldest: Some(first.after(Duration::from_secs(1))) };
    assert_eq!(backend.outbox.backlog().await, Ok(left));
}
