//! Accounts, as administrators change them.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::id::UserId;
use keystead::domain::language::Language;
use keystead::domain::mail::MailKind;
use keystead::domain::name::Name;
use keystead::domain::one_time_token::{ResetOutcome, TokenPurpose};
use keystead::domain::ports::profiles::ProfileChange;
use keystead::domain::ports::roles::{RoleCreation, RoleDeletion};
use keystead::domain::ports::{AuditContext, Preparation};
use keystead::domain::revocation::{RevocationCursor, RevocationTarget};
use keystead::domain::role::{Role, RoleDescription, RoleName};
use keystead::domain::session::SessionCreation;
use keystead::domain::user::{Epoch, PasswordHash, ROLE_ADMIN, Revision, User, UserState};
use keystead::domain::user_change::{Invitation, InvitationOutcome, UpdateOutcome, UserUpdate};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, email, reread};
use crate::trail::Told;

impl Backend {
    pub fn invitation(&self, address: &str, roles: &[&str]) -> Invitation {
        Invitation {
            id: UserId::generate(self.clock.as_ref(), self.entropy.as_ref()),
            email: email(address),
            display_name: Name::parse("Ada").expect("a name"),
            language: Language::parse("pt-BR").expect("a language"),
            roles: roles.iter().map(|role| RoleName::parse(role).expect("a role")).collect(),
            password_hash: None,
        }
    }

    async fn invite(&self, invitation: &Invitation, context: &AuditContext) -> InvitationOutcome {
        self.directory.invite(invitation, context).await.expect("the store answers")
    }

    async fn update(&self, update: &UserUpdate, context: &AuditContext) -> UpdateOutcome {
        self.directory.update(update, context).await.expect("the store answers")
    }

    /// The kinds and addresses of the mails that wait, sorted.
    pub async fn waiting(&self) -> Vec<(String, String)> {
        let mails = self.outbox.lease(99, LEASE, self.now()).await.expect("the store answers");
        let mut waiting: Vec<_> =
            mails.iter().map(|mail| (format!("{:?}", mail.kind), mail.requested_for.as_str().to_owned())).collect();
        waiting.sort();
        waiting
    }

    /// An administrator with a session, and the context of what they do; no mail waits.
    pub async fn desk(&self) -> (User, AuditContext) {
        let admin = self.user("admin@example.com").await;
        let session = self.session(&admin).await;
        self.waiting().await;
        (admin.clone(), self.context_of(&admin, session.id))
    }

    /// The events about the account, by name, each by the administrator.
    pub async fn deeds(&self, admin: &User, subject: &User) -> Vec<(String, bool, Option<String>)> {
        let trail = self.trail().await;
        let by_admin = |told: &&Told| told.actor == Some(admin.id.as_uuid());
        let of_subject = |told: &&Told| told.subject == Some(subject.id.as_uuid());
        let mut deeds: Vec<_> = trail
            .iter()
            .filter(by_admin)
            .filter(of_subject)
            .map(|told| (told.kind.clone(), told.success, told.detail.clone()))
            .collect();
        deeds.sort();
        deeds
    }
}

fn told(kind: AuditKind, detail: Option<&str>) -> (String, bool, Option<String>) {
    (kind.as_str().to_owned(), true, detail.map(str::to_owned))
}

fn mail(kind: MailKind, address: &str) -> (String, String) {
    (format!("{kind:?}"), address.to_owned())
}

fn renamed(user: &User, name: &str) -> UserUpdate {
    let profile = ProfileChange { display_name: Some(Name::parse(name).unwrap()), ..ProfileChange::default() };
    UserUpdate { id: user.id, profile, email: None, expected: None }
}

fn moved(user: &User, address: &str) -> UserUpdate {
    UserUpdate { id: user.id, profile: ProfileChange::default(), email: Some(email(address)), expected: None }
}

pub async fn an_invited_account_has_no_password_and_gets_a_mail(backend: Arc<Backend>) {
    let (admin, context) = backend.desk().await;
    let invitation = backend.invitation("Ada@Example.com", &["admin", "user", "verifier"]);
    let InvitationOutcome::Invited(user) = backend.invite(&invitation, &context).await else { panic!("refused") };
    assert_eq!(user.roles, ["admin", "user", "verifier"]);
    assert_eq!((user.state, user.email_verified, user.language.as_str()), (UserState::Active, false, "pt-br"));
    assert_eq!((user.created_at, user.updated_at), (backend.now(), backend.now()));
    assert_eq!(reread(&backend, &user).await, user);
    let account = backend.users.find_by_email(&email("ada@example.com")).await.unwrap().unwrap();
    assert_eq!((account.user, account.password_hash), (user.clone(), None));
    assert_eq!(backend.waiting().await, [mail(MailKind::PasswordReset, "Ada@example.com")]);
    // promise G2
    let expected = [
        told(AuditKind::RoleGranted, Some("admin")),
        told(AuditKind::RoleGranted, Some("verifier")),
        told(AuditKind::UserCreated, None),
    ];
    assert_eq!(backend.deeds(&admin, &user).await, expected);
}

pub async fn an_account_with_a_password_is_verified_and_not_mailed(backend: Arc<Backend>) {
    // promise P7
    let hash = PasswordHash::new("hash-7");
    let invitation =
        Invitation { password_hash: Some(hash.clone()), ..backend.invitation("ada@example.com", &[ROLE_ADMIN]) };
    let invited = backend.directory.invite(&invitation, &backend.context()).await;
    assert!(matches!(&invited, Ok(InvitationOutcome::Invited(user)) if user.email_verified), "{invited:?}");
    let found = backend.users.find_by_email(&email("ada@example.com")).await.expect("the store answers");
    let account = found.expect("the account");
    assert_eq!((account.password_hash, account.user.email_verified), (Some(hash), true));
    let mails = backend.outbox.lease(10, LEASE, backend.now()).await.expect("the store answers");
    assert!(mails.is_empty(), "{mails:?}");
}

pub async fn an_invitation_needs_its_roles(backend: Arc<Backend>) {
    let invitation = backend.invitation("ada@example.com", &["admin", "billing"]);
    let before = backend.trail().await;
    assert_eq!(backend.invite(&invitation, &backend.context()).await, InvitationOutcome::RoleUnknown);
    assert!(backend.users.find(invitation.id).await.unwrap().is_none(), "nothing is half done");
    assert!(backend.waiting().await.is_empty());
    assert_eq!(backend.trail().await, before);
    let billing = RoleName::parse("billing").unwrap();
    let role = Role { name: billing.clone(), description: RoleDescription::default(), created_at: backend.now() };
    assert!(matches!(backend.roles.create(&role, &backend.context()).await, Ok(RoleCreation::Created)));
    let InvitationOutcome::Invited(user) = backend.invite(&invitation, &backend.context()).await else {
        panic!("the role exists")
    };
    assert_eq!(user.roles, ["admin", "billing", "user"]);
    assert!(matches!(backend.roles.delete(&billing, &backend.context()).await, Ok(RoleDeletion::InUse)));
}

pub async fn an_invitation_to_a_taken_address_is_refused_and_told(backend: Arc<Backend>) {
    let user = backend.user("ada@example.com").await;
    backend.waiting().await;
    let (admin, context) = backend.desk().await;
    let outcome = backend.invite(&backend.invitation("ADA@example.com", &[]), &context).await;
    assert_eq!(outcome, InvitationOutcome::EmailTaken);
    assert!(backend.waiting().await.is_empty());
    let refused = (AuditKind::UserCreated.as_str().to_owned(), false, None);
    assert_eq!(backend.deeds(&admin, &user).await, [refused]);
}

pub async fn an_update_touches_what_it_names_and_is_told(backend: Arc<Backend>) {
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let session = backend.session(&ada).await;
    let (admin, context) = backend.desk().await;
    backend.clock.advance(Duration::from_secs(1));
    let context = AuditContext { at: backend.now(), ..context };
    let mut expected = ada.clone();
    expected.display_name = Name::parse("Countess").unwrap();
    expected.email_verified = true;
    expected.revision = Revision(1);
    expected.updated_at = backend.now();
    let mut update = renamed(&ada, "Countess");
    update.profile.email_verified = Some(true);
    update.email = Some(ada.email.clone());
    update.expected = Some(Revision(0));
    assert_eq!(backend.update(&update, &context).await, UpdateOutcome::Updated(expected.clone()));
    assert_eq!(reread(&backend, &ada).await, expected);
    assert_eq!(reread(&backend, &bob).await, bob);
    assert!(backend.is_open(session.id).await, "sessions go on");
    assert!(backend.waiting().await.is_empty(), "the address is the same");
    let fields = Some("display_name,email_verified,email");
    let expected = [told(AuditKind::EmailVerified, None), told(AuditKind::UserUpdated, fields)];
    assert_eq!(backend.deeds(&admin, &ada).await, expected);
}

pub async fn of_parallel_updates_of_one_revision_one_wins(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let outcomes = at_once(16, |number| {
        let (backend, mut update) = (backend.clone(), renamed(&ada, &format!("Ada {number}")));
        update.expected = Some(ada.revision);
        async move { backend.update(&update, &backend.context()).await }
    });
    let outcomes = outcomes.await;
    let won = outcomes.iter().filter_map(|outcome| match outcome {
        UpdateOutcome::Updated(user) => Some(user.clone()),
        UpdateOutcome::Moved | UpdateOutcome::EmailTaken | UpdateOutcome::Unknown => None,
    });
    assert_eq!(won.collect::<Vec<_>>(), [reread(&backend, &ada).await]);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == UpdateOutcome::Moved).count(), 15);
    assert_eq!(backend.told(AuditKind::UserUpdated, AuditOutcome::Success).await, 1);
}

pub async fn nobody_else_is_updated(backend: Arc<Backend>) {
    let mut nobody = backend.user("ada@example.com").await;
    nobody.id = UserId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    assert_eq!(backend.update(&renamed(&nobody, "Nobody"), &backend.context()).await, UpdateOutcome::Unknown);
    let none = backend.directory.require_reset(nobody.id, backend.later(), &backend.context()).await;
    assert_eq!(none, Ok(None));
}

pub async fn a_new_address_kills_mailed_tokens_and_is_told_to_the_old_one(backend: Arc<Backend>) {
    // promises X3, E3
    let ada = backend.user("ada@example.com").await;
    let mut verified = renamed(&ada, "Ada");
    verified.profile.email_verified = Some(true);
    assert!(matches!(backend.update(&verified, &backend.context()).await, UpdateOutcome::Updated(_)));
    let tokens = [
        (backend.token(&ada, TokenPurpose::PasswordReset).await, TokenPurpose::PasswordReset),
        (backend.token(&ada, TokenPurpose::EmailVerification).await, TokenPurpose::EmailVerification),
    ];
    let (admin, context) = backend.desk().await;
    let outcome = backend.update(&moved(&ada, "Countess@example.com"), &context).await;
    let UpdateOutcome::Updated(user) = outcome else { panic!("{outcome:?}") };
    assert_eq!((user.email.as_str(), user.email_verified), ("Countess@example.com", false));
    assert_eq!(reread(&backend, &ada).await, user);
    assert!(backend.users.find_by_email(&ada.email).await.unwrap().is_none());
    assert_eq!(backend.users.find_by_email(&user.email).await.unwrap().unwrap().user, user);
    let waiting =
        [mail(MailKind::EmailChanged, "ada@example.com"), mail(MailKind::EmailVerification, "Countess@example.com")];
    assert_eq!(backend.waiting().await, waiting);
    let expected = [told(AuditKind::EmailChanged, None), told(AuditKind::UserUpdated, Some("email"))];
    assert_eq!(backend.deeds(&admin, &ada).await, expected);
    // Also with the address back, for which the tokens were.
    assert!(matches!(backend.update(&moved(&ada, "ada@example.com"), &context).await, UpdateOutcome::Updated(_)));
    for (hash, purpose) in tokens {
        assert!(backend.tokens.find(&hash, purpose, backend.now()).await.unwrap().is_none(), "{purpose:?}");
    }
}

pub async fn a_verified_new_address_is_not_asked(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let (admin, context) = backend.desk().await;
    let mut update = moved(&ada, "countess@example.com");
    update.profile.email_verified = Some(true);
    let outcome = backend.update(&update, &context).await;
    assert!(matches!(&outcome, UpdateOutcome::Updated(user) if user.email_verified), "{outcome:?}");
    assert_eq!(backend.waiting().await, [mail(MailKind::EmailChanged, "ada@example.com")]);
    let fields = Some("email_verified,email");
    let expected = [
        told(AuditKind::UserUpdated, fields),
        told(AuditKind::EmailChanged, None),
        told(AuditKind::EmailVerified, None),
    ];
    let mut deeds = backend.deeds(&admin, &ada).await;
    deeds.sort_by_key(|deed| expected.iter().position(|it| it == deed));
    assert_eq!(deeds, expected);
}

pub async fn an_address_of_somebody_else_is_refused_and_told(backend: Arc<Backend>) {
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let (admin, context) = backend.desk().await;
    let mut update = moved(&ada, "BOB@example.com");
    update.profile.display_name = Some(Name::parse("Bob").unwrap());
    assert_eq!(backend.update(&update, &context).await, UpdateOutcome::EmailTaken);
    assert_eq!(reread(&backend, &ada).await, ada, "nothing is half done");
    assert_eq!(reread(&backend, &bob).await, bob);
    assert!(backend.waiting().await.is_empty());
    let refused = (AuditKind::EmailChanged.as_str().to_owned(), false, None);
    assert_eq!(backend.deeds(&admin, &ada).await, [refused]);
    update.expected = Some(Revision(7));
    assert_eq!(backend.update(&update, &context).await, UpdateOutcome::Moved, "what moved is looked at first");
}

pub async fn of_parallel_moves_to_one_address_one_wins(backend: Arc<Backend>) {
    let mut users = Vec::new();
    for number in 0..8 {
        users.push(backend.user(&format!("user{number}@example.com")).await);
    }
    let outcomes = at_once(8, |number| {
        let (backend, update) = (backend.clone(), moved(&users[usize::from(number)], "wanted@example.com"));
        async move { backend.update(&update, &backend.context()).await }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, UpdateOutcome::Updated(_))).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == UpdateOutcome::EmailTaken).count(), 7);
}

pub async fn a_required_reset_takes_everything_but_the_account(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let sessions = [backend.session(&ada).await, backend.session(&ada).await];
    let old = backend.token(&ada, TokenPurpose::PasswordReset).await;
    let (admin, context) = backend.desk().await;
    backend.clock.advance(Duration::from_secs(1));
    let context = AuditContext { at: backend.now(), ..context };
    let revocation = backend.directory.require_reset(ada.id, backend.later(), &context).await.unwrap().unwrap();
    let target = RevocationTarget::User { id: ada.id, min_epoch: Epoch(1) };
    assert_eq!((&revocation.target, revocation.expires_at), (&target, backend.later()));
    let page = backend.revocations.read(RevocationCursor::default(), backend.now()).await.unwrap();
    assert!(page.revocations.contains(&revocation));
    let account = backend.users.find_by_email(&ada.email).await.unwrap().unwrap();
    assert!(account.password_hash.is_none());
    let expected = User { epoch: Epoch(1), revision: Revision(1), updated_at: backend.now(), ..ada.clone() };
    assert_eq!(account.user, expected);
    for session in &sessions {
        assert!(!backend.is_open(session.id).await);
    }
    let refused = backend.tokens.reset_password(backend.reset(old), &backend.context()).await.unwrap();
    assert!(matches!(refused, ResetOutcome::Refused));
    assert!(backend.waiting().await.contains(&mail(MailKind::PasswordReset, "ada@example.com")));
    let ended = told(AuditKind::SessionEnded, None);
    let mut deeds = vec![told(AuditKind::ResetRequired, None), ended.clone(), ended];
    deeds.sort();
    assert_eq!(backend.deeds(&admin, &ada).await, deeds);
    let trail = backend.trail().await;
    let ends = trail.iter().filter(|told| told.kind == AuditKind::SessionEnded.as_str());
    let mut ended: Vec<_> = ends.map(|told| told.session).collect();
    ended.sort();
    let mut expected: Vec<_> = sessions.iter().map(|session| Some(session.id.as_uuid())).collect();
    expected.sort();
    assert_eq!(ended, expected, "each session is named");
}

pub async fn a_required_reset_leaves_others_alone(backend: Arc<Backend>) {
    let (ada, bob) = (backend.user("ada@example.com").await, backend.user("bob@example.com").await);
    let session = backend.session(&bob).await;
    let token = backend.token(&bob, TokenPurpose::PasswordReset).await;
    backend.directory.require_reset(ada.id, backend.later(), &backend.context()).await.unwrap().unwrap();
    assert_eq!(reread(&backend, &bob).await, bob);
    assert!(backend.is_open(session.id).await);
    assert!(backend.users.find_by_email(&bob.email).await.unwrap().unwrap().password_hash.is_some());
    assert!(backend.tokens.find(&token, TokenPurpose::PasswordReset, backend.now()).await.unwrap().is_some());
}

pub async fn a_required_reset_is_mailed_however_many_were(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    let purpose = TokenPurpose::PasswordReset;
    backend.token(&ada, purpose).await;
    let mail = backend.queued(MailKind::PasswordReset).await;
    assert_eq!(backend.prepare(mail, &ada, purpose, backend.token_hash(), 1).await, Preparation::TooMany);
    backend.directory.require_reset(ada.id, backend.later(), &backend.context()).await.unwrap().unwrap();
    let hash = backend.token_hash();
    assert_eq!(backend.prepare(mail, &ada, purpose, hash, 1).await, Preparation::Stored);
    let outcome = backend.tokens.reset_password(backend.reset(hash), &backend.context()).await.unwrap();
    assert!(matches!(outcome, ResetOutcome::Done { .. }));
}

pub async fn no_session_outlives_a_required_reset_that_races_it(backend: Arc<Backend>) {
    for round in 0..8 {
        let user = backend.user(&format!("user{round}@example.com")).await;
        let done = at_once(8, |number| {
            let (backend, user, new) = (backend.clone(), user.clone(), backend.new_session(&user));
            let id = new.session.id;
            async move {
                if number == 4 {
                    let context = backend.context();
                    let required = backend.directory.require_reset(user.id, backend.later(), &context).await;
                    assert!(required.unwrap().is_some());
                    return None;
                }
                matches!(backend.open(new).await, SessionCreation::Created { .. }).then_some(id)
            }
        });
        for id in done.await.into_iter().flatten() {
            assert!(!backend.is_open(id).await, "a session outlived the change");
        }
    }
}
