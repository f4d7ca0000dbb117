//! Identities at providers, and the accounts that they open.

use std::sync::Arc;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::id::{IdentityId, SessionId, UserId};
use keystead::domain::identity::{
    Adoption, Arrival, ExternalIdentity, Identity, Issuer, LinkedIdentity, Linking, MAX_IDENTITIES, NewLink,
    ProvidedEmail, ProviderName, Subject, Unlink, Unlinking,
};
use keystead::domain::mail::MailKind;
use keystead::domain::name::Name;
use keystead::domain::one_time_token::TokenPurpose;
use keystead::domain::rights::{RightsChange, RightsOutcome};
use keystead::domain::user::{ROLE_ADMIN, User};

use crate::backend::Backend;
use crate::fixture::{LEASE, at_once, email, reread};
use crate::roles::role_name;

pub fn provider() -> ProviderName {
    ProviderName::parse("idp").expect("a name")
}

fn identity_of(issuer: &str, subject: &str) -> Identity {
    let (issuer, subject) = (Issuer::parse(issuer).expect("an issuer"), Subject::parse(subject).expect("a subject"));
    Identity { issuer, subject }
}

fn identity(subject: &str) -> Identity {
    identity_of("https://idp.example.com", subject)
}

pub fn arrival(backend: &Backend, subject: &str, address: &str, verified: bool) -> Arrival {
    let email = Some(ProvidedEmail { email: email(address), verified });
    let display_name = Name::parse("Countess").expect("a name");
    Arrival {
        external: ExternalIdentity { provider: provider(), identity: identity(subject), email, display_name },
        identity_id: IdentityId::generate(backend.clock.as_ref(), backend.entropy.as_ref()),
        user_id: UserId::generate(backend.clock.as_ref(), backend.entropy.as_ref()),
        account_key: [1; 32],
        may_register: true,
        revocations_expire_at: backend.later(),
    }
}

pub async fn adopt(backend: &Backend, arrival: &Arrival) -> Adoption {
    backend.identities.adopt(arrival, &backend.context()).await.expect("the store answers")
}

/// A user whose address is verified.
pub async fn verified(backend: &Backend, address: &str) -> User {
    let user = backend.user(address).await;
    let token = backend.token(&user, TokenPurpose::EmailVerification).await;
    let done = backend.tokens.verify_email(&token, &backend.context()).await.expect("the store answers");
    drop(done);
    backend.users.find(user.id).await.expect("the store answers").expect("the user")
}

pub async fn link(backend: &Backend, user: &User, session_id: SessionId, subject: &str) -> Linking {
    let identity_id = IdentityId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    let (provider, identity) = (provider(), identity(subject));
    let link = NewLink { user_id: user.id, session_id, identity_id, provider, identity };
    backend.identities.link(&link, &backend.context_of(user, session_id)).await.expect("the store answers")
}

pub async fn unlink(backend: &Backend, user: &User, session_id: SessionId, identity_id: IdentityId) -> Unlinking {
    let (user_id, owner_session) = (user.id, Some(session_id));
    let unlink = Unlink { user_id, owner_session, identity_id, revocations_expire_at: backend.later() };
    backend.identities.unlink(&unlink, &backend.context_of(user, session_id)).await.expect("the store answers")
}

pub async fn list(backend: &Backend, user: &User) -> Vec<LinkedIdentity> {
    backend.identities.list(user.id).await.expect("the store answers")
}

pub async fn mails(backend: &Backend, kind: MailKind) -> usize {
    backend.clock.advance(2 * LEASE);
    let waiting = backend.outbox.lease(1_000, LEASE, backend.now()).await.expect("the store answers");
    waiting.iter().filter(|mail| mail.kind == kind).count()
}

pub async fn somebody_new_gets_an_account_and_is_known_from_then_on(backend: Arc<Backend>) {
    // promise O6
    let Adoption::Created(user) = adopt(&backend, &arrival(&backend, "1", "ada@example.com", true)).await else {
        panic!("no account")
    };
    assert_eq!(
        (user.email_verified, user.display_name.as_str(), &*user.roles),
        (true, "Countess", &["user".to_owned()][..])
    );
    assert_eq!(reread(&backend, &user).await, user);
    let account = backend.users.find_by_email(&email("ada@example.com")).await.unwrap().expect("the account");
    assert_eq!((account.user.id, account.password_hash), (user.id, None));
    let again = adopt(&backend, &arrival(&backend, "1", "other@example.com", false)).await;
    assert!(matches!(again, Adoption::Known(known) if known == user), "whatever address is told");
    assert!(backend.users.find_by_email(&email("other@example.com")).await.unwrap().is_none());
    assert_eq!(list(&backend, &user).await.len(), 1);
    assert_eq!(backend.told(AuditKind::UserCreated, AuditOutcome::Success).await, 1);
    assert_eq!(backend.told(AuditKind::IdentityLinked, AuditOutcome::Success).await, 1);
    assert_eq!(mails(&backend, MailKind::IdentityLinked).await, 0, "nothing is news to a new account");
}

pub async fn of_parallel_arrivals_of_one_identity_one_makes_the_account(backend: Arc<Backend>) {
    // promise O6
    let outcomes = at_once(16, |_| {
        let backend = backend.clone();
        async move { adopt(&backend, &arrival(&backend, "1", "ada@example.com", true)).await }
    });
    let outcomes = outcomes.await;
    let created = outcomes.iter().filter(|outcome| matches!(outcome, Adoption::Created(_))).count();
    let known = outcomes.iter().filter(|outcome| matches!(outcome, Adoption::Known(_))).count();
    assert_eq!((created, known), (1, 15));
}

pub async fn a_verified_address_links_where_both_sides_have_verified_it(backend: Arc<Backend>) {
    // promise O7
    let ada = verified(&backend, "ada@example.com").await;
    let session = backend.session(&ada).await;
    let told = arrival(&backend, "1", "ADA@example.com", true);
    assert!(matches!(adopt(&backend, &told).await, Adoption::Linked(user) if user == ada));
    assert_eq!(reread(&backend, &ada).await, ada, "nothing of the account changes");
    assert!(backend.is_open(session.id).await);
    assert_eq!(list(&backend, &ada).await[0].identity, identity("1"));
    assert_eq!(mails(&backend, MailKind::IdentityLinked).await, 1);
}

pub async fn an_address_that_only_one_side_has_verified_links_nothing_of_the_other(backend: Arc<Backend>) {
    // promise O7
    verified(&backend, "ada@example.com").await;
    backend.user("bob@example.com").await;
    for (address, is_known) in [("ada@example.com", true), ("bob@example.com", true), ("new@example.com", false)] {
        let outcome = adopt(&backend, &arrival(&backend, "1", address, false)).await;
        let expected = if is_known {
            matches!(outcome, Adoption::AccountExists)
        } else {
            matches!(outcome, Adoption::EmailNotVerified)
        };
        assert!(expected, "{address}");
    }
    assert!(backend.users.find_by_email(&email("new@example.com")).await.unwrap().is_none());
    assert_eq!(backend.told(AuditKind::IdentityLinked, AuditOutcome::Success).await, 0);
}

pub async fn a_name_that_leads_to_another_issuer_hands_no_account_over(backend: Arc<Backend>) {
    // promise O6
    let Adoption::Created(ada) = adopt(&backend, &arrival(&backend, "1", "ada@example.com", true)).await else {
        panic!("no account")
    };
    let mut elsewhere = arrival(&backend, "1", "eve@example.com", true);
    elsewhere.external.identity = identity_of("https://evil.example", "1");
    let outcome = adopt(&backend, &elsewhere).await;
    assert!(matches!(&outcome, Adoption::Created(user) if user.id != ada.id), "{outcome:?}");
    let mut renamed = arrival(&backend, "1", "other@example.com", false);
    renamed.external.provider = ProviderName::parse("renamed").expect("a name");
    let outcome = adopt(&backend, &renamed).await;
    assert!(matches!(&outcome, Adoption::Known(user) if user.id == ada.id), "{outcome:?}");
}

pub async fn an_account_with_a_second_factor_is_linked_by_its_owner_alone(backend: Arc<Backend>) {
    // promises M6, O7
    let ada = verified(&backend, "ada@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let told = arrival(&backend, "1", "ada@example.com", true);
    assert!(matches!(adopt(&backend, &told).await, Adoption::AccountExists));
    assert!(list(&backend, &ada).await.is_empty());
    let session = backend.session(&ada).await.id;
    assert!(matches!(link(&backend, &ada, session, "1").await, Linking::Linked(_)));
    assert!(matches!(adopt(&backend, &told).await, Adoption::Known(user) if user.id == ada.id));
}

pub async fn an_account_that_has_been_given_roles_is_linked_by_its_owner_alone(backend: Arc<Backend>) {
    // promise O7
    let root = verified(&backend, "root@example.com").await;
    let granted = backend.change(&root, &RightsChange::Grant(role_name(ROLE_ADMIN))).await;
    assert!(matches!(granted, RightsOutcome::Changed { .. }));
    let told = arrival(&backend, "1", "root@example.com", true);
    assert!(matches!(adopt(&backend, &told).await, Adoption::AccountExists));
    assert!(list(&backend, &root).await.is_empty());
    let session = backend.session(&reread(&backend, &root).await).await.id;
    assert!(matches!(link(&backend, &root, session, "1").await, Linking::Linked(_)));
}

pub async fn an_account_that_nobody_verified_is_emptied_before_it_is_linked(backend: Arc<Backend>) {
    // promise O7
    let planted = backend.user("ada@example.com").await;
    let planted = backend.enrolled(&planted).await;
    let session = backend.session(&planted).await;
    let reset = backend.token(&planted, TokenPurpose::PasswordReset).await;
    let told = arrival(&backend, "1", "ada@example.com", true);
    let Adoption::Reclaimed { user, revocations, ended } = adopt(&backend, &told).await else { panic!("not emptied") };
    assert_eq!((user.id, user.email_verified, user.epoch.0), (planted.id, true, planted.epoch.0 + 1));
    assert_eq!((user.display_name.as_str(), revocations.len(), &*ended), ("Countess", 1, &[session.id][..]));
    assert_eq!(reread(&backend, &planted).await, user);
    assert!(!backend.is_open(session.id).await);
    let account = backend.users.find_by_email(&email("ada@example.com")).await.unwrap().expect("the account");
    assert_eq!(account.password_hash, None);
    assert!(!backend.factors.is_enrolled(user.id).await.unwrap(), "whoever planted the account has its codes");
    let purpose = TokenPurpose::PasswordReset;
    assert!(backend.tokens.find(&reset, purpose, backend.now()).await.unwrap().is_none());
    assert_eq!(backend.told(AuditKind::AccountReclaimed, AuditOutcome::Success).await, 1);
    assert_eq!(backend.told(AuditKind::SessionEnded, AuditOutcome::Success).await, 1);
    assert!(matches!(adopt(&backend, &told).await, Adoption::Known(known) if known == user));
}

pub async fn an_address_that_only_looks_alike_opens_nothing(backend: Arc<Backend>) {
    // promise O7
    verified(&backend, "mike@example.com").await;
    backend.user("strasse@example.com").await;
    for (subject, alike) in [("1", "m\u{131}ke@example.com"), ("2", "stra\u{df}e@example.com")] {
        let outcome = adopt(&backend, &arrival(&backend, subject, alike, true)).await;
        assert!(matches!(outcome, Adoption::AccountExists), "{alike}: {outcome:?}");
    }
    let own = adopt(&backend, &arrival(&backend, "3", "MIKE@example.com", true)).await;
    assert!(matches!(own, Adoption::Linked(_)), "{own:?}");
}

pub async fn a_disabled_account_and_closed_registration_take_nobody_in(backend: Arc<Backend>) {
    let ada = verified(&backend, "ada@example.com").await;
    backend.disable(ada.id).await;
    let outcome = adopt(&backend, &arrival(&backend, "1", "ada@example.com", true)).await;
    assert!(matches!(outcome, Adoption::Disabled(id) if id == ada.id));
    let closed = Arrival { may_register: false, ..arrival(&backend, "2", "new@example.com", true) };
    assert!(matches!(adopt(&backend, &closed).await, Adoption::RegistrationClosed));
    let mut nameless = arrival(&backend, "3", "x@example.com", true);
    nameless.external.email = None;
    assert!(matches!(adopt(&backend, &nameless).await, Adoption::EmailNotVerified));
    assert!(list(&backend, &ada).await.is_empty());
}

pub async fn an_owner_links_what_nobody_else_has(backend: Arc<Backend>) {
    let (ada, bob) = (verified(&backend, "ada@example.com").await, verified(&backend, "bob@example.com").await);
    let (of_ada, of_bob) = (backend.session(&ada).await.id, backend.session(&bob).await.id);
    let Linking::Linked(linked) = link(&backend, &ada, of_ada, "1").await else { panic!("not linked") };
    assert_eq!(list(&backend, &ada).await, std::slice::from_ref(&linked));
    assert_eq!(link(&backend, &ada, of_ada, "1").await, Linking::Unchanged(linked));
    assert_eq!(link(&backend, &bob, of_bob, "1").await, Linking::Taken);
    assert_eq!(link(&backend, &bob, of_ada, "2").await, Linking::Refused, "a session of somebody else");
    let told: Vec<_> = backend.trail().await;
    let told: Vec<_> = told.iter().filter(|told| told.kind == AuditKind::IdentityLinked.as_str()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].session, told[0].detail.as_deref()), (Some(of_ada.as_uuid()), Some("idp")));
    backend.disable(bob.id).await;
    assert_eq!(link(&backend, &bob, of_bob, "2").await, Linking::Refused);
    assert_eq!(mails(&backend, MailKind::IdentityLinked).await, 1);
}

pub async fn an_account_with_an_unverified_address_links_nothing(backend: Arc<Backend>) {
    // promise O7
    let eve = backend.user("victim@example.com").await;
    let session = backend.session(&eve).await.id;
    assert_eq!(link(&backend, &eve, session, "1").await, Linking::EmailNotVerified);
}

pub async fn an_account_has_twenty_identities_at_most(backend: Arc<Backend>) {
    let ada = verified(&backend, "ada@example.com").await;
    let session = backend.session(&ada).await.id;
    for number in 0..MAX_IDENTITIES {
        assert!(matches!(link(&backend, &ada, session, &number.to_string()).await, Linking::Linked(_)));
    }
    assert_eq!(link(&backend, &ada, session, "more").await, Linking::TooMany);
}

pub async fn what_is_unlinked_opens_nothing_and_what_it_opened_ends(backend: Arc<Backend>) {
    let ada = verified(&backend, "ada@example.com").await;
    let (here, there) = (backend.session(&ada).await.id, backend.session(&ada).await.id);
    let Linking::Linked(linked) = link(&backend, &ada, here, "1").await else { panic!("not linked") };
    let other = IdentityId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    assert_eq!(unlink(&backend, &ada, here, other).await, Unlinking::Unknown);
    let Unlinking::Unlinked { provider: of, revocations, ended } = unlink(&backend, &ada, here, linked.id).await else {
        panic!("not unlinked")
    };
    assert_eq!((of, revocations.len(), &*ended), (provider(), 1, &[there][..]));
    assert!(backend.is_open(here).await && !backend.is_open(there).await);
    assert_eq!(reread(&backend, &ada).await.epoch.0, ada.epoch.0 + 1);
    assert!(list(&backend, &ada).await.is_empty());
    assert_eq!(backend.told(AuditKind::IdentityUnlinked, AuditOutcome::Success).await, 1);
    assert_eq!(mails(&backend, MailKind::IdentityUnlinked).await, 1);
}

pub async fn the_last_way_to_sign_in_stays_also_when_two_go_at_once(backend: Arc<Backend>) {
    let Adoption::Created(ada) = adopt(&backend, &arrival(&backend, "1", "ada@example.com", true)).await else {
        panic!("no account")
    };
    let session = backend.session(&ada).await.id;
    let first = list(&backend, &ada).await[0].id;
    assert_eq!(unlink(&backend, &ada, session, first).await, Unlinking::LastSignInMethod);
    let Linking::Linked(second) = link(&backend, &ada, session, "2").await else { panic!("not linked") };
    let outcomes = at_once(2, |number| {
        let (backend, ada) = (backend.clone(), ada.clone());
        let id = if number == 0 { first } else { second.id };
        async move { unlink(&backend, &ada, session, id).await }
    });
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Unlinking::LastSignInMethod).count(), 1, "{outcomes:?}");
    assert_eq!(list(&backend, &ada).await.len(), 1);
}
