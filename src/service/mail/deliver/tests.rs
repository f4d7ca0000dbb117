//! The outbox with mailers that fail.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::domain::mail::MailKind;
use crate::domain::one_time_token::TokenPurpose;
use crate::domain::ports::{OneTimeTokens, StoreError};
use crate::service::mail::settings::RetrySettings;
use crate::service::testing::{World, email};

/// A mail server that keeps what it gets, and answers as it is told.
#[derive(Default)]
struct Letterbox {
    got: Mutex<Vec<MailMessage>>,
    answers: Mutex<VecDeque<MailError>>,
}

#[async_trait]
impl Mailer for Letterbox {
    async fn send(&self, message: &MailMessage) -> Result<(), MailError> {
        self.got.lock().unwrap().push(message.clone());
        self.answers.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }
}

impl Letterbox {
    fn take(&self) -> Vec<MailMessage> {
        std::mem::take(&mut self.got.lock().unwrap())
    }

    fn fail(&self, error: MailError, times: usize) {
        self.answers.lock().unwrap().extend(std::iter::repeat_n(error, times));
    }
}

/// A mail server that takes mails and never says what becomes of them.
struct Silence;

#[async_trait]
impl Mailer for Silence {
    async fn send(&self, _: &MailMessage) -> Result<(), MailError> {
        std::future::pending().await
    }
}

fn worker(world: &World) -> (DeliverMail, Arc<Letterbox>) {
    let letterbox = Arc::new(Letterbox::default());
    let worker = DeliverMail {
        outbox: Arc::new(world.store.clone()),
        users: Arc::new(world.store.clone()),
        mailer: letterbox.clone(),
        keys: world.keys.clone(),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        templates: Arc::new(Templates::new(Vec::new(), &world.settings.mail.language).ok().unwrap()),
        settings: world.settings.mail.clone(),
        tally: Arc::default(),
    };
    (worker, letterbox)
}

async fn enqueue(world: &World, kind: MailKind, address: &str) {
    world.store.enqueue(kind, &email(address), &world.context()).await.unwrap();
}

fn token_in(message: &MailMessage) -> String {
    let (_, rest) = message.text.split_once("#token=").expect("a token");
    rest.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_reset_mail_goes_to_the_stored_address_with_a_token_that_works_for_thirty_minutes() {
    // promises X1, L5
    let world = World::new().await;
    let user = world.user("Ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    worker.run_once().await.unwrap();
    letterbox.take();
    enqueue(&world, MailKind::PasswordReset, "aDA@EXAMPLE.org").await;
    assert_eq!(worker.run_once().await, Ok(1));
    let mails = letterbox.take();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to.as_str(), "Ada@example.org");
    let purpose = TokenPurpose::PasswordReset;
    let hash = one_time_token::parse(purpose, &token_in(&mails[0])).unwrap();
    let now = world.clock.now();
    let tokens: &dyn OneTimeTokens = &world.store;
    assert_eq!(tokens.find(&hash, purpose, now).await.unwrap().map(|user| user.id), Some(user.id));
    assert_eq!(tokens.find(&hash, purpose, now.after(Duration::from_mins(30))).await, Ok(None));
    assert!(one_time_token::parse(TokenPurpose::EmailVerification, &token_in(&mails[0])).is_none());
    assert!(world.store.mails().is_empty(), "erased on delivery");
}

#[tokio::test]
async fn nobody_is_written_to_at_an_unknown_address_or_a_disabled_account() {
    // promise L6
    let world = World::new().await;
    let user = world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    worker.run_once().await.unwrap();
    letterbox.take();
    let _ended = world.store.disable(user.id, world.clock.now(), &world.context());
    for kind in [MailKind::PasswordReset, MailKind::EmailVerification, MailKind::RegistrationAttempt] {
        enqueue(&world, kind, "nobody@example.org").await;
        enqueue(&world, kind, "ada@example.org").await;
    }
    while worker.run_once().await.unwrap() > 0 {}
    assert!(letterbox.take().is_empty());
    assert!(world.store.mails().is_empty());
}

#[tokio::test]
async fn a_verified_address_is_not_asked_again() {
    let world = World::new().await;
    let user = world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    assert!(world.store.edit_user(user.id, |user| user.email_verified = true));
    while worker.run_once().await.unwrap() > 0 {}
    assert!(letterbox.take().is_empty());
}

#[tokio::test]
async fn three_tokens_an_hour_are_mailed_and_no_more() {
    // promise L6
    let world = World::new().await;
    world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    worker.run_once().await.unwrap();
    letterbox.take();
    for _ in 0..5 {
        enqueue(&world, MailKind::PasswordReset, "ada@example.org").await;
    }
    while worker.run_once().await.unwrap() > 0 {}
    assert_eq!(letterbox.take().len(), 3);
    assert!(world.store.mails().is_empty());
    world.advance(Duration::from_hours(1));
    enqueue(&world, MailKind::PasswordReset, "ada@example.org").await;
    worker.run_once().await.unwrap();
    assert_eq!(letterbox.take().len(), 1);
}

#[tokio::test]
async fn of_two_tokens_mailed_at_once_the_one_in_the_later_mail_works() {
    // promise L6
    let world = World::new().await;
    world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    worker.run_once().await.unwrap();
    letterbox.take();
    for _ in 0..2 {
        enqueue(&world, MailKind::PasswordReset, "ada@example.org").await;
        world.advance(Duration::from_millis(1));
    }
    assert_eq!(worker.run_once().await, Ok(2));
    let mut mails = letterbox.take();
    mails.sort_by_key(|mail| mail.id);
    let purpose = TokenPurpose::PasswordReset;
    let tokens: &dyn OneTimeTokens = &world.store;
    let mut works = Vec::new();
    for mail in &mails {
        let hash = one_time_token::parse(purpose, &token_in(mail)).unwrap();
        works.push(tokens.find(&hash, purpose, world.clock.now()).await.unwrap().is_some());
    }
    assert_eq!(works, [false, true]);
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_with_the_same_message_and_longer_waits() {
    let world = World::new().await;
    world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    letterbox.fail(MailError::Transient, 3);
    let mut waits = Vec::new();
    while !world.store.mails().is_empty() {
        let before = letterbox.got.lock().unwrap().len();
        let start = world.clock.now();
        while letterbox.got.lock().unwrap().len() == before {
            world.advance(Duration::from_secs(1));
            worker.run_once().await.unwrap();
        }
        waits.push(world.clock.now().since(start).as_secs());
    }
    assert_eq!(waits, [1, 10, 20, 40]);
    let mails = letterbox.take();
    assert_eq!(mails.len(), 4);
    assert!(mails.iter().all(|mail| *mail == mails[0]));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_costs_a_batch_one_wait_and_is_done_with_before_its_lease_ends() {
    let world = World::new().await;
    let RetrySettings { batch, lease, .. } = world.settings.mail.retry;
    for number in 0..batch {
        world.user(&format!("user{number}@example.org")).await;
    }
    let worker = DeliverMail { mailer: Arc::new(Silence), ..worker(&world).0 };
    let count = usize::try_from(batch).unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(worker.run_once().await, Ok(count));
    assert_eq!(begun.elapsed(), SEND_TIMEOUT);
    assert!(SEND_TIMEOUT < lease, "or another replica sends the same mails");
    assert_eq!(
        (world.store.mails().len(), worker.tally.postponed.get()),
        (count, u64::from(batch)),
        "all of them wait"
    );
}

#[tokio::test]
async fn a_mail_is_given_up_when_its_token_has_expired_or_it_is_refused() {
    let world = World::new().await;
    world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    letterbox.fail(MailError::Transient, 100);
    for _ in 0..1_800 {
        world.advance(Duration::from_secs(1));
        worker.run_once().await.unwrap();
    }
    assert!(world.store.mails().is_empty());
    let tries = letterbox.take().len();
    assert!((2..100).contains(&tries), "{tries}");

    letterbox.answers.lock().unwrap().clear();
    letterbox.fail(MailError::Permanent, 1);
    enqueue(&world, MailKind::PasswordChanged, "ada@example.org").await;
    worker.run_once().await.unwrap();
    assert_eq!(letterbox.take().len(), 1);
    assert!(world.store.mails().is_empty());
}

#[tokio::test]
async fn a_mail_that_holds_a_token_rests_sealed_and_bound_to_its_row() {
    // promise L6
    let world = World::new().await;
    world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    letterbox.fail(MailError::Transient, 1);
    worker.run_once().await.unwrap();
    let token = token_in(&letterbox.take()[0]);
    let mail = world.store.mails().remove(0);
    let sealed = mail.sealed.unwrap();
    assert!(!sealed.windows(token.len()).any(|window| window == token.as_bytes()));
    let ring = world.keys.ring();
    let opened = Envelope::open(mail.id, &sealed, ring.mail()).unwrap();
    assert!(opened.message.text.contains(&token));
    let other = crate::domain::id::MailId::generate(world.clock.as_ref(), world.entropy.as_ref());
    assert!(Envelope::open(other, &sealed, ring.mail()).is_err());
}

#[tokio::test]
async fn a_database_that_is_away_loses_no_mail() {
    let world = World::new().await;
    world.user("ada@example.org").await;
    let (worker, letterbox) = worker(&world);
    world.store.fail_with(Some(StoreError::Unavailable));
    assert!(worker.run_once().await.is_err());
    world.store.fail_with(None);
    worker.run_once().await.unwrap();
    assert_eq!(letterbox.take().len(), 1);
}
