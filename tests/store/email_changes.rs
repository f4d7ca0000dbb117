//! Changes of address.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::email_change::{EmailChangeConfirmed, EmailChangeRequest, EmailChangeRequested};
use keystead::domain::mail::{MailKind, PreparedMail, QueuedMail};
use keystead::domain::one_time_token::{NewOneTimeToken, ResetOutcome, TokenHash, TokenPurpose, VerificationOutcome};
use keystead::domain::ports::Preparation;
use keystead::domain::ports::profiles::ProfileChange;
use keystead::domain::session::SessionCreation;
use keystead::domain::user::{Creation, User};
use keystead::domain::user_change::{UpdateOutcome, UserUpdate};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, email, keys_of, reread};

async fn request(backend: &Backend, user: &User, address: &str) -> EmailChangeRequested {
    let session_id = backend.session(user).await.id;
    let request = EmailChangeRequest { user_id: user.id, session_id, new_email: email(address) };
    backend.email_changes.request(&request, &backend.context()).await.expect("the store answers")
}

pub async fn confirm(backend: &Backend, hash: TokenHash) -> EmailChangeConfirmed {
    backend.email_changes.confirm(&hash, &backend.context()).await.expect("the store answers")
}

async fn waiting(backend: &Backend) -> Vec<QueuedMail> {
    backend.outbox.lease(1_000, LEASE, backend.now()).await.expect("the store answers")
}

/// Mints and stores the token of a mail, as the worker does.
async fn mint(backend: &Backend, mail: &QueuedMail) -> TokenHash {
    let (owner, hash) = (mail.owner.expect("an owner"), backend.token_hash());
    let token = NewOneTimeToken {
        hash,
        purpose: TokenPurpose::EmailChange,
        user_id: owner.user_id,
        email: mail.requested_for.clone(),
        epoch: owner.epoch,
        expires_at: backend.now().after(Duration::from_mins(30)),
    };
    let mail = PreparedMail { id: mail.id, sealed: vec![1], token: Some(token) };
    assert_eq!(backend.outbox.prepare(mail, u32::MAX, backend.now()).await, Ok(Preparation::Stored));
    hash
}

/// A token for the user that gives the address.
pub async fn token(backend: &Backend, user: &User, address: &str) -> TokenHash {
    assert_eq!(request(backend, user, address).await, EmailChangeRequested::Queued);
    let mails = waiting(backend).await;
    let is_it = |mail: &&QueuedMail| mail.kind == MailKind::EmailChange && mail.requested_for == email(address);
    mint(backend, mails.iter().find(is_it).expect("a mail to the new address")).await
}

impl Backend {
    /// Queues the mail of a change that its user has asked for.
    pub async fn ask_for_change(&self, user: &User, address: &str) {
        assert_eq!(request(self, user, address).await, EmailChangeRequested::Queued);
    }

    async fn changes_that_wait(&self) -> usize {
        waiting(self).await.iter().filter(|mail| mail.kind == MailKind::EmailChange).count()
    }
}

pub async fn a_change_that_waits_dies_with_the_address_that_it_was_asked_under(backend: Arc<Backend>) {
    // promise X3
    let [ada, bob] = [backend.user("ada@example.com").await, backend.user("bob@example.com").await];
    let hash = token(&backend, &ada, "countess@example.com").await;
    backend.ask_for_change(&ada, "eve@example.com").await;
    backend.ask_for_change(&bob, "robert@example.com").await;
    assert!(matches!(confirm(&backend, hash).await, EmailChangeConfirmed::Done(_)));
    backend.clock.advance(2 * LEASE);
    assert_eq!(backend.changes_that_wait().await, 1, "that of somebody else");
    backend.clock.advance(2 * LEASE);
    let update = UserUpdate {
        id: bob.id,
        profile: ProfileChange::default(),
        email: Some(email("bobby@example.com")),
        expected: None,
    };
    let updated = backend.directory.update(&update, &backend.context()).await;
    assert!(matches!(updated, Ok(UpdateOutcome::Updated(_))), "{updated:?}");
    assert_eq!(backend.changes_that_wait().await, 0);
}

pub async fn a_request_queues_one_mail_and_one_event_for_every_address(backend: Arc<Backend>) {
    // promise L6
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    waiting(&backend).await;
    let mut events = Vec::new();
    for (address, kind, to, owner) in [
        ("new@example.com", MailKind::EmailChange, "new@example.com", &ada),
        ("BOB@example.com", MailKind::EmailChangeAttempt, "bob@example.com", &bob),
        ("ADA@example.com", MailKind::EmailChange, "ADA@example.com", &ada),
    ] {
        assert_eq!(request(&backend, &ada, address).await, EmailChangeRequested::Queued);
        let mails = waiting(&backend).await;
        assert_eq!(mails.len(), 1);
        let about = mails[0].owner.expect("an owner");
        assert_eq!((mails[0].kind, mails[0].requested_for.as_str()), (kind, to));
        assert_eq!((about.user_id, about.epoch), (owner.id, owner.epoch));
        assert_eq!(mails[0].source, backend.context().origin.source);
        events = backend.trail().await;
        events.retain(|told| told.kind == AuditKind::EmailChangeRequested.as_str());
    }
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|told| *told == events[0] && told.success && told.subject == Some(ada.id.as_uuid())));
    assert_eq!(reread(&backend, &ada).await, ada, "nothing changes before it is confirmed");
}

pub async fn an_ended_session_or_a_disabled_user_requests_nothing(backend: Arc<Backend>) {
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    waiting(&backend).await;
    let (of_ada, of_bob) = (backend.session(&ada).await, backend.session(&bob).await);
    let ask = async |user: &User, session_id| {
        let request = EmailChangeRequest { user_id: user.id, session_id, new_email: email("new@example.com") };
        backend.email_changes.request(&request, &backend.context()).await.expect("the store answers")
    };
    assert_eq!(ask(&ada, of_bob.id).await, EmailChangeRequested::Refused, "a session of somebody else");
    backend.disable(bob.id).await;
    assert_eq!(ask(&bob, of_bob.id).await, EmailChangeRequested::Refused);
    let reset = backend.token(&ada, TokenPurpose::PasswordReset).await;
    let done = backend.tokens.reset_password(backend.reset(reset), &backend.context()).await;
    assert!(matches!(done, Ok(ResetOutcome::Done { .. })));
    assert_eq!(ask(&ada, of_ada.id).await, EmailChangeRequested::Refused);
    let changes = [MailKind::EmailChange, MailKind::EmailChangeAttempt];
    assert!(waiting(&backend).await.iter().all(|mail| !changes.contains(&mail.kind)));
    assert_eq!(backend.told(AuditKind::EmailChangeRequested, AuditOutcome::Success).await, 0);
}

pub async fn a_confirmation_does_all_that_it_promises(backend: Arc<Backend>) {
    // promises E3, X3
    let ada = backend.user("ada@example.com").await;
    let session = backend.session(&ada).await;
    let reset = backend.token(&ada, TokenPurpose::PasswordReset).await;
    let hash = token(&backend, &ada, "New@example.com").await;
    backend.clock.advance(LEASE);
    for mail in waiting(&backend).await {
        backend.outbox.remove(mail.id).await.expect("the store answers");
    }
    let EmailChangeConfirmed::Done(user) = confirm(&backend, hash).await else { panic!("refused") };
    assert_eq!((user.email.as_str(), user.email_verified), ("New@example.com", true));
    assert_eq!((user.epoch, user.revision.0, user.updated_at), (ada.epoch, ada.revision.0 + 1, backend.now()));
    assert_eq!(user, reread(&backend, &ada).await);
    assert!(backend.is_open(session.id).await, "sessions go on");
    let found = backend.users.find_by_email(&email("new@EXAMPLE.com")).await.unwrap();
    assert_eq!(found.map(|account| account.user.id), Some(ada.id));
    assert!(backend.users.find_by_email(&ada.email).await.unwrap().is_none());
    let purpose = TokenPurpose::PasswordReset;
    assert!(backend.tokens.find(&reset, purpose, backend.now()).await.unwrap().is_none(), "the other tokens die");
    let mails = waiting(&backend).await;
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].kind, mails[0].requested_for.as_str()), (MailKind::EmailChanged, "ada@example.com"));
    assert_eq!(mails[0].owner.map(|owner| owner.user_id), Some(ada.id));
    assert_eq!(backend.told(AuditKind::EmailChanged, AuditOutcome::Success).await, 1);
    let fresh = backend.users.create(backend.new_user("ada@example.com"), false, &backend.context()).await;
    assert!(matches!(fresh, Ok(Creation::Created(_))), "the old address is free");
}

pub async fn of_parallel_confirmations_one_works(backend: Arc<Backend>) {
    // promise X2
    let ada = backend.user("ada@example.com").await;
    let hash = token(&backend, &ada, "new@example.com").await;
    let outcomes = at_once(64, |_| {
        let backend = backend.clone();
        async move { matches!(confirm(&backend, hash).await, EmailChangeConfirmed::Done(_)) }
    });
    assert_eq!(outcomes.await.into_iter().filter(|done| *done).count(), 1);
    assert_eq!(reread(&backend, &ada).await.revision.0, ada.revision.0 + 1);
    assert_eq!(backend.told(AuditKind::EmailChanged, AuditOutcome::Success).await, 1);
    assert_eq!(backend.told(AuditKind::EmailChanged, AuditOutcome::Failure).await, 63);
}

pub async fn an_address_goes_to_one_of_those_who_confirm_it_at_once(backend: Arc<Backend>) {
    let mut hashes = Vec::new();
    for number in 0..8 {
        let user = backend.user(&format!("user{number}@example.com")).await;
        hashes.push(token(&backend, &user, "wanted@example.com").await);
    }
    let outcomes = at_once(8, |number| {
        let (backend, hash) = (backend.clone(), hashes[usize::from(number)]);
        async move { confirm(&backend, hash).await }
    });
    let outcomes = outcomes.await;
    let count = |wanted: fn(&EmailChangeConfirmed) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, EmailChangeConfirmed::Done(_))), 1);
    assert_eq!(count(|outcome| matches!(outcome, EmailChangeConfirmed::EmailTaken)), 7);
}

pub async fn an_address_that_was_taken_in_between_uses_the_token_up(backend: Arc<Backend>) {
    // promise G2
    let ada = backend.user("ada@example.com").await;
    let hash = token(&backend, &ada, "new@example.com").await;
    let bob = backend.user("NEW@example.com").await;
    assert!(matches!(confirm(&backend, hash).await, EmailChangeConfirmed::EmailTaken));
    assert!(matches!(confirm(&backend, hash).await, EmailChangeConfirmed::Refused));
    assert_eq!((reread(&backend, &ada).await, reread(&backend, &bob).await), (ada, bob));
    assert_eq!(backend.told(AuditKind::EmailChanged, AuditOutcome::Failure).await, 2);
}

pub async fn a_change_dies_with_time_a_newer_one_a_reset_or_a_raised_epoch(backend: Arc<Backend>) {
    // promises X1, X3
    let ada = backend.user("ada@example.com").await;
    let older = token(&backend, &ada, "older@example.com").await;
    let newer = token(&backend, &ada, "newer@example.com").await;
    assert!(matches!(confirm(&backend, older).await, EmailChangeConfirmed::Refused));
    backend.clock.advance(Duration::from_mins(30));
    assert!(matches!(confirm(&backend, newer).await, EmailChangeConfirmed::Refused));
    let before_reset = token(&backend, &ada, "reset@example.com").await;
    assert_eq!(request(&backend, &ada, "late@example.com").await, EmailChangeRequested::Queued);
    let late = waiting(&backend).await.into_iter().find(|mail| mail.requested_for == email("late@example.com"));
    let reset = backend.token(&ada, TokenPurpose::PasswordReset).await;
    let done = backend.tokens.reset_password(backend.reset(reset), &backend.context()).await;
    assert!(done.is_ok());
    let minted_after = mint(&backend, &late.expect("a mail that waited meanwhile")).await;
    for hash in [before_reset, minted_after] {
        assert!(matches!(confirm(&backend, hash).await, EmailChangeConfirmed::Refused), "a thief's change outlived it");
    }
    assert_eq!(reread(&backend, &ada).await.email, ada.email);
}

pub async fn a_token_of_another_purpose_changes_no_address(backend: Arc<Backend>) {
    // promise T6
    let ada = backend.user("ada@example.com").await;
    for purpose in [TokenPurpose::PasswordReset, TokenPurpose::EmailVerification] {
        let hash = backend.token(&ada, purpose).await;
        assert!(matches!(confirm(&backend, hash).await, EmailChangeConfirmed::Refused));
        assert!(backend.tokens.find(&hash, purpose, backend.now()).await.unwrap().is_some(), "and is not used up");
    }
    let hash = token(&backend, &ada, "new@example.com").await;
    let done = backend.tokens.verify_email(&hash, &backend.context()).await;
    assert!(matches!(done, Ok(VerificationOutcome::Refused)));
    assert!(matches!(confirm(&backend, hash).await, EmailChangeConfirmed::Done(_)));
}

pub async fn a_sign_in_from_a_new_source_tells_source_and_device(backend: Arc<Backend>) {
    // promise E3
    let ada = backend.user("ada@example.com").await;
    waiting(&backend).await;
    for source in [1, 2] {
        let mut new = backend.new_session(&ada);
        new.attempt = Some(keys_of(1, source));
        let device = new.session.device_name.clone();
        assert!(matches!(backend.open(new).await, SessionCreation::Created { .. }));
        let mails = waiting(&backend).await;
        assert_eq!(mails.len(), usize::from(source == 2), "the first source is nobody's surprise");
        for mail in mails {
            assert_eq!((mail.kind, mail.device), (MailKind::NewSignIn, device.clone()));
            assert_eq!((mail.source, mail.requested_for), (backend.context().origin.source, ada.email.clone()));
        }
    }
}
