//! What an owner learns of their second factor, and what a session keeps of it.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::mail::{MailKind, QueuedMail};
use keystead::domain::second_factor::{
    EnrolledFactor, FactorEdit, FactorOutcome, MAX_WRONG_CODES, Proof, TotpStep, WARNING_PAUSE,
};
use keystead::domain::user::User;

use crate::backend::Backend;
use crate::fixture::LEASE;
use crate::second_factors::{code, is_done, totp};

impl Backend {
    /// Every mail that waits, taken out of the outbox.
    async fn mails(&self) -> Vec<QueuedMail> {
        let mails = self.outbox.lease(1_000, LEASE, self.now()).await.expect("the store answers");
        for mail in &mails {
            self.outbox.remove(mail.id).await.expect("the store answers");
        }
        mails
    }

    async fn guess(&self, user: &User, times: u32) {
        let challenge = self.challenge(user).await;
        for _ in 0..times {
            assert!(!is_done(&self.complete(user, challenge, Proof::Wrong).await));
        }
    }

    async fn ends_told(&self) -> usize {
        self.told(AuditKind::ChallengeExhausted, AuditOutcome::Failure).await
    }
}

pub async fn the_owner_is_warned_of_wrong_codes_once_an_hour_and_the_trail_each_time(backend: Arc<Backend>) {
    // promises M9, E3
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    backend.mails().await;
    backend.guess(&ada, MAX_WRONG_CODES - 1).await;
    assert_eq!((backend.mails().await.len(), backend.ends_told().await), (0, 0), "there is one try left");
    backend.guess(&ada, MAX_WRONG_CODES).await;
    backend.guess(&ada, MAX_WRONG_CODES).await;
    let mails = backend.mails().await;
    assert_eq!((mails.len(), backend.ends_told().await), (1, 2));
    assert_eq!((mails[0].kind, mails[0].requested_for.as_str()), (MailKind::WrongCodes, "ada@example.com"));
    assert_eq!((mails[0].device.as_str(), mails[0].source), ("Laptop", backend.context().origin.source));
    // Another authenticator in its place is no way to more mail.
    let edit = FactorEdit::Enroll { sealed: b"other".to_vec(), step: TotpStep(9), codes: Vec::new() };
    let changed = backend.change_factor(backend.factor_change(&ada, edit, None)).await;
    let FactorOutcome::Changed { user: ada, .. } = changed else { panic!("{changed:?}") };
    backend.clock.advance(WARNING_PAUSE.saturating_sub(Duration::from_secs(1)));
    backend.mails().await;
    backend.guess(&ada, MAX_WRONG_CODES).await;
    assert_eq!((backend.mails().await.len(), backend.ends_told().await), (0, 3));
    backend.clock.advance(Duration::from_secs(1));
    backend.guess(&ada, MAX_WRONG_CODES).await;
    assert_eq!((backend.mails().await.len(), backend.ends_told().await), (1, 4));
}

pub async fn a_session_that_goes_on_without_the_factor_no_longer_says_that_it_was_shown(backend: Arc<Backend>) {
    // promise M7
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let mut new = backend.new_session(&ada);
    new.session.methods = ["pwd", "otp", "mfa"].map(str::to_owned).into();
    let id = new.session.id;
    let challenge = backend.challenge(&ada).await;
    assert!(is_done(&backend.complete_with(new, challenge, totp(7)).await));
    let methods = async || backend.sessions.find(id).await.unwrap().expect("a session").session.methods;
    let codes = FactorEdit::ReplaceCodes(vec![code(1)]);
    let changed = backend.change_factor(backend.factor_change(&ada, codes, Some(id))).await;
    let FactorOutcome::Changed { user: ada, .. } = changed else { panic!("{changed:?}") };
    assert_eq!(methods().await, ["pwd", "otp", "mfa"], "the factor is there");
    let changed = backend.change_factor(backend.factor_change(&ada, FactorEdit::Remove, Some(id))).await;
    assert!(matches!(changed, FactorOutcome::Changed { .. }), "{changed:?}");
    assert_eq!(methods().await, ["pwd"]);
    assert!(backend.is_open(id).await);
}

pub async fn a_factor_is_described_with_its_time_and_the_codes_that_are_left(backend: Arc<Backend>) {
    // promise M5
    let ada = backend.user("ada@example.com").await;
    assert_eq!(backend.factors.describe(ada.id).await, Ok(None));
    let ada = backend.enrolled(&ada).await;
    let enrolled_at = backend.now();
    let described = async || backend.factors.describe(ada.id).await.unwrap();
    assert_eq!(described().await, Some(EnrolledFactor { enrolled_at, codes_left: 10 }));
    backend.clock.advance(Duration::from_secs(1));
    for number in [3, 3, 4] {
        let challenge = backend.challenge(&ada).await;
        drop(backend.complete(&ada, challenge, Proof::RecoveryCode(code(number))).await);
    }
    assert_eq!(described().await, Some(EnrolledFactor { enrolled_at, codes_left: 8 }));
    let edit = FactorEdit::Enroll { sealed: b"other".to_vec(), step: TotpStep(9), codes: vec![code(1)] };
    let changed = backend.change_factor(backend.factor_change(&ada, edit, None)).await;
    assert!(matches!(changed, FactorOutcome::Changed { .. }), "{changed:?}");
    assert_eq!(described().await, Some(EnrolledFactor { enrolled_at: backend.now(), codes_left: 1 }));
}
