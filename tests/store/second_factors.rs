//! Second factors, and the sign-ins that wait for one.

use std::sync::Arc;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::clock::Entropy as _;
use keystead::domain::id::SessionId;
use keystead::domain::mail::MailKind;
use keystead::domain::name::Name;
use keystead::domain::revocation::RevocationTarget;
use keystead::domain::second_factor::{
    ChallengeCreation, ChallengeHash, Completion, CompletionOutcome, FactorChange, FactorEdit, FactorOutcome,
    MAX_WRONG_CODES, NewChallenge, OpeningByChallenge, Proof, RecoveryCodeHash, TotpStep,
};
use keystead::domain::session::{NewSession, Rehash};
use keystead::domain::user::{Epoch, PasswordHash, User};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, keys_of, reread};

const SEALED: &[u8] = b"sealed";
const MANY: u32 = 1_000;

pub fn totp(step: i64) -> Proof {
    Proof::Totp { sealed: SEALED.to_vec(), step: TotpStep(step) }
}

pub fn code(number: u8) -> RecoveryCodeHash {
    RecoveryCodeHash([number; 32])
}

pub fn enrolled_at(step: i64) -> FactorEdit {
    FactorEdit::Enroll { sealed: SEALED.to_vec(), step: TotpStep(step), codes: (0..10).map(code).collect() }
}

impl Backend {
    pub fn factor_change(&self, user: &User, edit: FactorEdit, spared: Option<SessionId>) -> FactorChange {
        let (seen_epoch, revocation_expires_at) = (Some(user.epoch), self.later());
        FactorChange { user: user.id, seen_epoch, edit, spared, opening: None, revocation_expires_at }
    }

    pub async fn change_factor(&self, change: FactorChange) -> FactorOutcome {
        self.factors.change(change, &self.context()).await.expect("the store answers")
    }

    /// The user with a second factor whose step 5 is used.
    pub async fn enrolled(&self, user: &User) -> User {
        match self.change_factor(self.factor_change(user, enrolled_at(5), None)).await {
            FactorOutcome::Changed { user, .. } => user,
            refused @ (FactorOutcome::UserChanged | FactorOutcome::NotEnrolled | FactorOutcome::ChallengeGone) => {
                panic!("{refused:?}")
            }
        }
    }

    fn new_challenge(&self, user: &User) -> NewChallenge {
        let mut hash = [0; 32];
        self.entropy.fill(&mut hash);
        NewChallenge {
            hash: ChallengeHash(hash),
            user_id: user.id,
            seen_epoch: user.epoch,
            methods: vec!["pwd".to_owned()],
            audience: vec!["keystead".to_owned(), "shop".to_owned()],
            device_name: Name::parse("Laptop").expect("a name"),
            rehash: None,
            expires_at: self.later(),
        }
    }

    pub async fn challenge(&self, user: &User) -> ChallengeHash {
        let new = self.new_challenge(user);
        let hash = new.hash;
        assert_eq!(self.factors.challenge(new, &self.context()).await, Ok(ChallengeCreation::Created));
        hash
    }

    pub async fn complete_with(
        &self,
        session: NewSession,
        challenge: ChallengeHash,
        proof: Proof,
    ) -> CompletionOutcome {
        let completion = Completion { challenge, proof, session, max_failures: MANY };
        self.factors.complete(completion, &self.context()).await.expect("the store answers")
    }

    pub async fn complete(&self, user: &User, challenge: ChallengeHash, proof: Proof) -> CompletionOutcome {
        self.complete_with(self.new_session(user), challenge, proof).await
    }
}

pub fn is_done(outcome: &CompletionOutcome) -> bool {
    matches!(outcome, CompletionOutcome::Completed { .. })
}

pub async fn a_challenge_is_found_until_it_expires(backend: Arc<Backend>) {
    // promise M6
    let ada = backend.user("ada@example.com").await;
    let bare = backend.challenge(&ada).await;
    let found = backend.factors.find_challenge(&bare, backend.now()).await.unwrap().expect("a challenge");
    assert_eq!((&found.user, &found.factor), (&ada, &None));
    assert_eq!(
        (found.methods, found.audience),
        (vec!["pwd".to_owned()], vec!["keystead".to_owned(), "shop".to_owned()])
    );
    assert_eq!(found.device_name.as_str(), "Laptop");
    let ada = backend.enrolled(&ada).await;
    let hash = backend.challenge(&ada).await;
    let find = async |hash, now| backend.factors.find_challenge(&hash, now).await.unwrap();
    let factor = find(hash, backend.now()).await.expect("a challenge").factor.expect("a factor");
    assert_eq!((factor.sealed.as_slice(), factor.last_step, factor.failures), (SEALED, TotpStep(5), 0));
    assert_eq!(find(bare, backend.now()).await, None, "the epoch has moved");
    assert_eq!(find(hash, backend.later()).await, None);
    assert_eq!(find(ChallengeHash([9; 32]), backend.now()).await, None);
    assert_eq!(backend.told(AuditKind::LoginChallenged, AuditOutcome::Success).await, 2);
}

pub async fn a_changed_user_is_not_challenged(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    backend.enrolled(&ada).await;
    let challenged = backend.factors.challenge(backend.new_challenge(&ada), &backend.context()).await;
    assert_eq!(challenged, Ok(ChallengeCreation::UserChanged));
    let bob = backend.user("bob@example.com").await;
    let hash = backend.challenge(&bob).await;
    backend.disable(bob.id).await;
    assert_eq!(backend.factors.find_challenge(&hash, backend.now()).await, Ok(None));
}

pub async fn a_challenge_renews_an_outdated_hash(backend: Arc<Backend>) {
    // promise P4
    let ada = backend.user("ada@example.com").await;
    let rehash = Some(Rehash { from: PasswordHash::new("hash-0"), to: PasswordHash::new("hash-1") });
    let new = NewChallenge { rehash, ..backend.new_challenge(&ada) };
    assert_eq!(backend.factors.challenge(new, &backend.context()).await, Ok(ChallengeCreation::Created));
    let account = backend.passwords.account(ada.id).await.unwrap().expect("an account");
    assert_eq!(account.password_hash, Some(PasswordHash::new("hash-1")));
    assert_eq!(backend.told(AuditKind::PasswordRehashed, AuditOutcome::Success).await, 1);
}

pub async fn a_completion_opens_the_session_and_uses_challenge_and_step_up(backend: Arc<Backend>) {
    // promises M2, M6
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let keys = keys_of(1, 1);
    assert_eq!(backend.attempts.count(&keys, &backend.context()).await.unwrap().in_a_row, 1);
    let challenge = backend.challenge(&ada).await;
    let session = NewSession { attempt: Some(keys), ..backend.new_session(&ada) };
    let id = session.session.id;
    assert!(is_done(&backend.complete_with(session, challenge, totp(7)).await));
    assert!(backend.is_open(id).await);
    assert_eq!(backend.attempts.count(&keys, &backend.context()).await.unwrap().in_a_row, 1, "failures are forgotten");
    assert!(matches!(backend.complete(&ada, challenge, totp(8)).await, CompletionOutcome::Gone));
    for step in [5, 6, 7] {
        let challenge = backend.challenge(&ada).await;
        let outcome = backend.complete(&ada, challenge, totp(step)).await;
        assert!(matches!(outcome, CompletionOutcome::WrongCode { .. }), "{step}: {outcome:?}");
    }
    let challenge = backend.challenge(&ada).await;
    assert!(is_done(&backend.complete(&ada, challenge, totp(8)).await));
    assert_eq!(backend.told(AuditKind::LoginSucceeded, AuditOutcome::Success).await, 2);
    assert_eq!(backend.told(AuditKind::LoginFailed, AuditOutcome::Failure).await, 4);
}

pub async fn of_parallel_completions_with_one_code_one_works(backend: Arc<Backend>) {
    // promise M2
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    for proof in [totp(7), Proof::RecoveryCode(code(3))] {
        let mut challenges = Vec::new();
        for _ in 0..64 {
            challenges.push(backend.challenge(&ada).await);
        }
        let before = backend.sessions.list(ada.id, backend.now()).await.unwrap().len();
        let outcomes = at_once(64, |number| {
            let (backend, ada, proof) = (backend.clone(), ada.clone(), proof.clone());
            let challenge = challenges[usize::from(number)];
            async move { backend.complete(&ada, challenge, proof).await }
        });
        let outcomes = outcomes.await;
        assert_eq!(outcomes.iter().filter(|outcome| is_done(outcome)).count(), 1);
        assert!(outcomes.iter().all(|outcome| !matches!(outcome, CompletionOutcome::Gone)));
        assert_eq!(backend.sessions.list(ada.id, backend.now()).await.unwrap().len(), before + 1);
    }
}

pub async fn of_parallel_completions_of_one_challenge_one_works(backend: Arc<Backend>) {
    // promise M6
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let challenge = backend.challenge(&ada).await;
    let outcomes = at_once(10, |number| {
        let (backend, ada) = (backend.clone(), ada.clone());
        async move { backend.complete(&ada, challenge, Proof::RecoveryCode(code(number))).await }
    });
    assert_eq!(outcomes.await.iter().filter(|outcome| is_done(outcome)).count(), 1);
    assert_eq!(backend.sessions.list(ada.id, backend.now()).await.unwrap().len(), 1);
}

pub async fn a_recovery_code_works_once_and_is_told(backend: Arc<Backend>) {
    // promise M5
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let complete = async |proof| {
        let challenge = backend.challenge(&ada).await;
        is_done(&backend.complete(&ada, challenge, proof).await)
    };
    assert!(complete(Proof::RecoveryCode(code(3))).await);
    assert!(!complete(Proof::RecoveryCode(code(3))).await);
    assert!(!complete(Proof::RecoveryCode(code(77))).await);
    assert!(complete(Proof::RecoveryCode(code(4))).await);
    let mails = backend.outbox.lease(1_000, LEASE, backend.now()).await.unwrap();
    let told: Vec<_> = mails.iter().filter(|mail| mail.kind == MailKind::RecoveryCodeUsed).collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].device.as_str(), told[0].requested_for.as_str()), ("Laptop", "ada@example.com"));
    assert_eq!(backend.told(AuditKind::RecoveryCodeUsed, AuditOutcome::Success).await, 2);
}

pub async fn a_challenge_ends_with_the_last_wrong_code_that_it_allows(backend: Arc<Backend>) {
    // promise M9
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let challenge = backend.challenge(&ada).await;
    for number in 1..=MAX_WRONG_CODES {
        let outcome = backend.complete(&ada, challenge, Proof::Wrong).await;
        let CompletionOutcome::WrongCode { is_last } = outcome else { panic!("{number}: {outcome:?}") };
        assert_eq!(is_last, number == MAX_WRONG_CODES, "{number}");
    }
    assert!(matches!(backend.complete(&ada, challenge, totp(7)).await, CompletionOutcome::Gone));
    assert_eq!(backend.factors.find_challenge(&challenge, backend.now()).await, Ok(None));
    let challenge = backend.challenge(&ada).await;
    let factor = backend.factors.find_challenge(&challenge, backend.now()).await.unwrap().unwrap().factor.unwrap();
    assert_eq!(factor.failures, MAX_WRONG_CODES);
    assert!(is_done(&backend.complete(&ada, challenge, totp(7)).await));
    let challenge = backend.challenge(&ada).await;
    let factor = backend.factors.find_challenge(&challenge, backend.now()).await.unwrap().unwrap().factor.unwrap();
    assert_eq!(factor.failures, 0, "a right code forgets them");
}

pub async fn no_code_is_right_after_too_many_wrong_ones(backend: Arc<Backend>) {
    // promise M9
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let complete = async |proof| {
        let (challenge, session) = (backend.challenge(&ada).await, backend.new_session(&ada));
        let completion = Completion { challenge, proof, session, max_failures: 2 };
        is_done(&backend.factors.complete(completion, &backend.context()).await.unwrap())
    };
    assert!(!complete(Proof::Wrong).await);
    assert!(!complete(Proof::Wrong).await);
    assert!(!complete(totp(7)).await);
    assert!(complete(Proof::RecoveryCode(code(1))).await);
    assert!(complete(totp(7)).await);
}

pub async fn an_enrolment_does_all_that_it_promises(backend: Arc<Backend>) {
    // promises E3, M4
    let ada = backend.user("ada@example.com").await;
    let (own, other) = (backend.session(&ada).await, backend.session(&ada).await);
    backend.outbox.lease(1_000, LEASE, backend.now()).await.unwrap();
    assert_eq!(backend.factors.is_enrolled(ada.id).await, Ok(false));
    let change = backend.factor_change(&ada, enrolled_at(5), Some(own.id));
    let context = backend.context_of(&ada, own.id);
    let changed = backend.factors.change(change, &context).await.unwrap();
    let FactorOutcome::Changed { user, revocations, ended } = changed else { panic!("{changed:?}") };
    assert_eq!((user.epoch, user.revision.0), (Epoch(ada.epoch.0 + 1), ada.revision.0 + 1));
    assert_eq!(user, reread(&backend, &ada).await);
    assert_eq!(ended, [other.id]);
    let target = RevocationTarget::User { id: ada.id, min_epoch: user.epoch };
    assert_eq!(revocations.iter().map(|it| &it.target).collect::<Vec<_>>(), [&target]);
    assert_eq!((backend.is_open(own.id).await, backend.is_open(other.id).await), (true, false));
    assert_eq!(backend.factors.is_enrolled(ada.id).await, Ok(true));
    let mails = backend.outbox.lease(1_000, LEASE, backend.now()).await.unwrap();
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].kind, mails[0].requested_for.as_str()), (MailKind::TotpEnrolled, "ada@example.com"));
    let trail = backend.trail().await;
    let told = trail.iter().find(|told| told.kind == AuditKind::SecondFactorEnrolled.as_str()).expect("an event");
    assert_eq!((told.actor, told.subject), (Some(ada.id.as_uuid()), Some(ada.id.as_uuid())));
}

pub async fn a_new_authenticator_takes_the_place_of_the_old_one_with_its_codes(backend: Arc<Backend>) {
    // promise M4
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let other = FactorEdit::Enroll { sealed: b"other".to_vec(), step: TotpStep(9), codes: vec![code(99)] };
    let changed = backend.change_factor(backend.factor_change(&ada, other, None)).await;
    let FactorOutcome::Changed { user: ada, .. } = changed else { panic!("{changed:?}") };
    let of_other = |step| Proof::Totp { sealed: b"other".to_vec(), step: TotpStep(step) };
    for (proof, right) in [
        (totp(10), false),
        (Proof::RecoveryCode(code(1)), false),
        (of_other(9), false),
        (of_other(10), true),
        (Proof::RecoveryCode(code(99)), true),
    ] {
        let challenge = backend.challenge(&ada).await;
        assert_eq!(is_done(&backend.complete(&ada, challenge, proof.clone()).await), right, "{proof:?}");
    }
}

pub async fn of_parallel_changes_of_one_factor_one_works(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let outcomes = at_once(64, |_| {
        let (backend, ada) = (backend.clone(), ada.clone());
        async move { backend.change_factor(backend.factor_change(&ada, enrolled_at(5), None)).await }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, FactorOutcome::Changed { .. })).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, FactorOutcome::UserChanged)).count(), 63);
    assert_eq!(backend.told(AuditKind::SecondFactorEnrolled, AuditOutcome::Success).await, 1);
}

pub async fn an_enrolment_by_a_challenge_opens_a_session_of_the_next_epoch(backend: Arc<Backend>) {
    // promise M8
    let ada = backend.user("ada@example.com").await;
    let before = backend.session(&ada).await;
    let (challenge, session) = (backend.challenge(&ada).await, backend.new_session(&ada));
    let id = session.session.id;
    let change = FactorChange {
        opening: Some(OpeningByChallenge { challenge, session }),
        ..backend.factor_change(&ada, enrolled_at(5), None)
    };
    let changed = backend.change_factor(change.clone()).await;
    let FactorOutcome::Changed { user, ended, .. } = changed else { panic!("{changed:?}") };
    assert_eq!(ended, [before.id]);
    assert!(backend.is_open(id).await);
    let trail = backend.trail().await;
    let told = trail.iter().find(|told| told.kind == AuditKind::SecondFactorEnrolled.as_str()).expect("an event");
    assert_eq!((told.actor, told.session), (Some(ada.id.as_uuid()), Some(id.as_uuid())));
    assert_eq!(backend.change_factor(change.clone()).await, FactorOutcome::UserChanged);
    let again = FactorChange { seen_epoch: Some(user.epoch), ..change };
    assert_eq!(backend.change_factor(again).await, FactorOutcome::ChallengeGone, "it is used up");
    assert_eq!(reread(&backend, &ada).await.epoch, user.epoch, "nothing was written");
}

pub async fn an_ended_session_changes_no_factor(backend: Arc<Backend>) {
    let [ada, bob] = [backend.user("ada@example.com").await, backend.user("bob@example.com").await];
    let (of_ada, of_bob) = (backend.session(&ada).await, backend.session(&bob).await);
    let change = backend.factor_change(&ada, enrolled_at(5), Some(of_bob.id));
    assert_eq!(backend.change_factor(change).await, FactorOutcome::UserChanged, "a session of somebody else");
    let scope = keystead::domain::session::EndScope::This(of_ada.id);
    backend.sessions.end(ada.id, scope, backend.later(), &backend.context()).await.unwrap();
    let change = backend.factor_change(&ada, enrolled_at(5), Some(of_ada.id));
    assert_eq!(backend.change_factor(change).await, FactorOutcome::UserChanged);
    assert_eq!(backend.factors.is_enrolled(ada.id).await, Ok(false));
}

pub async fn a_removed_factor_takes_its_codes_along(backend: Arc<Backend>) {
    // promise M10
    let ada = backend.user("ada@example.com").await;
    let none = backend.change_factor(backend.factor_change(&ada, FactorEdit::Remove, None)).await;
    assert_eq!(none, FactorOutcome::NotEnrolled);
    let codes = FactorEdit::ReplaceCodes(vec![code(1)]);
    assert_eq!(backend.change_factor(backend.factor_change(&ada, codes, None)).await, FactorOutcome::NotEnrolled);
    let ada = backend.enrolled(&ada).await;
    backend.disable(ada.id).await;
    // At the word of an administrator, whatever has become of the account.
    let removal = FactorChange { seen_epoch: None, ..backend.factor_change(&ada, FactorEdit::Remove, None) };
    let removed = backend.change_factor(removal).await;
    assert!(matches!(removed, FactorOutcome::Changed { .. }), "{removed:?}");
    assert_eq!(backend.factors.is_enrolled(ada.id).await, Ok(false));
    assert_eq!(backend.told(AuditKind::SecondFactorRemoved, AuditOutcome::Success).await, 1);
    let nobody = User { id: keystead::domain::id::UserId::generate(&*backend.clock, &*backend.entropy), ..ada };
    let removal = FactorChange { seen_epoch: None, ..backend.factor_change(&nobody, FactorEdit::Remove, None) };
    assert_eq!(backend.change_factor(removal).await, FactorOutcome::UserChanged);
}

pub async fn new_recovery_codes_take_the_place_of_the_old_ones(backend: Arc<Backend>) {
    // promise M5
    let ada = backend.user("ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let change = backend.factor_change(&ada, FactorEdit::ReplaceCodes(vec![code(50)]), None);
    let FactorOutcome::Changed { user: ada, .. } = backend.change_factor(change).await else { panic!("not changed") };
    for (number, right) in [(1, false), (50, true)] {
        let challenge = backend.challenge(&ada).await;
        let outcome = backend.complete(&ada, challenge, Proof::RecoveryCode(code(number))).await;
        assert_eq!(is_done(&outcome), right, "{number}");
    }
    assert_eq!(backend.told(AuditKind::RecoveryCodesReplaced, AuditOutcome::Success).await, 1);
}
