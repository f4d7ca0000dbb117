//! Identities that are taken from accounts, by whomever, and how they come back.

use std::sync::Arc;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::email_change::EmailChangeConfirmed;
use keystead::domain::id::{IdentityId, UserId};
use keystead::domain::identity::{Adoption, LinkedIdentity, Linking, Unlink, Unlinking};
use keystead::domain::mail::MailKind;
use keystead::domain::one_time_token::{ResetOutcome, TokenPurpose, VerificationOutcome};
use keystead::domain::ports::AuditContext;
use keystead::domain::ports::profiles::ProfileChange;
use keystead::domain::user::User;
use keystead::domain::user_change::{UpdateOutcome, UserUpdate};

use crate::backend::Backend;
use crate::email_changes::{confirm, token};
use crate::fixture::{email, reread};
use crate::identities::{adopt, arrival, link, list, mails, unlink, verified};

const ADA: &str = "ada@example.com";

/// A user with a verified address and one identity, whom an administrator looks at.
async fn scene(backend: &Arc<Backend>) -> (User, LinkedIdentity, AuditContext) {
    let admin = backend.user("admin@example.com").await;
    let context = backend.context_of(&admin, backend.session(&admin).await.id);
    let ada = verified(backend, ADA).await;
    let session = backend.session(&ada).await.id;
    let Linking::Linked(linked) = link(backend, &ada, session, "1").await else { panic!("not linked") };
    (ada, linked, context)
}

async fn update(backend: &Backend, update: &UserUpdate, context: &AuditContext) {
    let updated = backend.directory.update(update, context).await.expect("the store answers");
    assert!(matches!(updated, UpdateOutcome::Updated(_)), "{updated:?}");
}

fn moved(user: &User, address: &str) -> UserUpdate {
    UserUpdate { id: user.id, profile: ProfileChange::default(), email: Some(email(address)), expected: None }
}

fn doubted(user: &User) -> UserUpdate {
    let profile = ProfileChange { email_verified: Some(false), ..ProfileChange::default() };
    UserUpdate { id: user.id, profile, email: None, expected: None }
}

/// Who told that an identity was unlinked, of whom.
async fn unlinkings(backend: &Backend) -> Vec<(Option<uuid::Uuid>, Option<uuid::Uuid>, Option<String>)> {
    let trail = backend.trail().await;
    let unlinked = trail.into_iter().filter(|told| told.kind == AuditKind::IdentityUnlinked.as_str());
    unlinked.map(|told| (told.actor, told.subject, told.detail)).collect()
}

pub async fn what_was_unlinked_comes_back_by_its_owners_link_alone(backend: Arc<Backend>) {
    // promise O7
    let (ada, linked, _) = scene(&backend).await;
    let bob = verified(&backend, "bob@example.com").await;
    let session = backend.session(&reread(&backend, &ada).await).await.id;
    assert!(matches!(unlink(&backend, &ada, session, linked.id).await, Unlinking::Unlinked { .. }));
    let told = arrival(&backend, "1", ADA, true);
    for _ in 0..2 {
        assert!(matches!(adopt(&backend, &told).await, Adoption::AccountExists));
    }
    assert!(list(&backend, &ada).await.is_empty());
    let of_bob = adopt(&backend, &arrival(&backend, "1", "bob@example.com", true)).await;
    assert!(matches!(of_bob, Adoption::Linked(user) if user.id == bob.id), "it was taken from ada alone");
    let [of_bob] = &list(&backend, &bob).await[..] else { panic!("not linked") };
    let at_bobs = backend.session(&bob).await.id;
    assert!(matches!(unlink(&backend, &bob, at_bobs, of_bob.id).await, Unlinking::Unlinked { .. }));
    assert!(matches!(link(&backend, &ada, session, "1").await, Linking::Linked(_)));
    assert!(matches!(adopt(&backend, &told).await, Adoption::Known(user) if user.id == ada.id));
}

pub async fn an_administrator_takes_the_last_way_to_sign_in_too(backend: Arc<Backend>) {
    let admin = backend.user("admin@example.com").await;
    let context = backend.context_of(&admin, backend.session(&admin).await.id);
    let told = arrival(&backend, "1", ADA, true);
    let Adoption::Created(ada) = adopt(&backend, &told).await else { panic!("no account") };
    let session = backend.session(&ada).await.id;
    let at_administrators = |user_id: UserId, identity_id: IdentityId| Unlink {
        user_id,
        owner_session: None,
        identity_id,
        revocations_expire_at: backend.later(),
    };
    let unlink = async |unlink: Unlink| backend.identities.unlink(&unlink, &context).await.expect("the store answers");
    let id = list(&backend, &ada).await[0].id;
    assert_eq!(unlink(at_administrators(admin.id, id)).await, Unlinking::Unknown, "another account's");
    let nobody = UserId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    assert_eq!(unlink(at_administrators(nobody, id)).await, Unlinking::Refused);
    let Unlinking::Unlinked { revocations, ended, .. } = unlink(at_administrators(ada.id, id)).await else {
        panic!("not unlinked")
    };
    assert_eq!((revocations.len(), &*ended), (1, &[session][..]));
    assert!(!backend.is_open(session).await);
    let by_admin = (Some(admin.id.as_uuid()), Some(ada.id.as_uuid()), Some("idp".to_owned()));
    assert_eq!(unlinkings(&backend).await, [by_admin]);
    assert_eq!(mails(&backend, MailKind::IdentityUnlinked).await, 1);
    assert!(matches!(adopt(&backend, &told).await, Adoption::AccountExists));
}

pub async fn a_required_reset_takes_identities_for_good(backend: Arc<Backend>) {
    let (ada, _, context) = scene(&backend).await;
    let required = backend.directory.require_reset(ada.id, backend.later(), &context).await;
    assert!(required.expect("the store answers").is_some());
    assert!(list(&backend, &ada).await.is_empty());
    let by_admin = (context.actor.map(|actor| actor.id.as_uuid()), Some(ada.id.as_uuid()), Some("idp".to_owned()));
    assert_eq!(unlinkings(&backend).await, [by_admin]);
    assert!(matches!(adopt(&backend, &arrival(&backend, "1", ADA, true)).await, Adoption::AccountExists));
}

pub async fn an_address_that_an_administrator_changes_takes_the_identities_along(backend: Arc<Backend>) {
    let (ada, linked, context) = scene(&backend).await;
    update(&backend, &moved(&ada, "ADA@example.com"), &context).await;
    assert_eq!(list(&backend, &ada).await, [linked], "the case of its letters is no other address");
    update(&backend, &moved(&ada, "eve@example.com"), &context).await;
    assert!(list(&backend, &ada).await.is_empty());
    let by_admin = (context.actor.map(|actor| actor.id.as_uuid()), Some(ada.id.as_uuid()), Some("idp".to_owned()));
    assert_eq!(unlinkings(&backend).await, [by_admin]);
    let elsewhere = adopt(&backend, &arrival(&backend, "1", ADA, true)).await;
    assert!(matches!(elsewhere, Adoption::Created(user) if user.id != ada.id), "whoever had the address is another");
}

pub async fn who_proves_an_address_finds_nobody_elses_identity_behind_it(backend: Arc<Backend>) {
    // promise O7
    for purpose in [TokenPurpose::PasswordReset, TokenPurpose::EmailVerification] {
        let address = format!("{purpose:?}@example.com").to_lowercase();
        let user = verified(&backend, &address).await;
        let session = backend.session(&user).await.id;
        assert!(matches!(link(&backend, &user, session, &address).await, Linking::Linked(_)));
        let proven = async || {
            let token = backend.token(&reread(&backend, &user).await, purpose).await;
            let context = backend.context();
            if purpose == TokenPurpose::PasswordReset {
                let done = backend.tokens.reset_password(backend.reset(token), &context).await;
                assert!(matches!(done, Ok(ResetOutcome::Done { .. })), "{done:?}");
            } else {
                let done = backend.tokens.verify_email(&token, &context).await;
                assert!(matches!(done, Ok(VerificationOutcome::Done(_))), "{done:?}");
            }
        };
        proven().await;
        assert_eq!(list(&backend, &user).await.len(), 1, "{purpose:?}: the address was proven before it was linked");
        update(&backend, &doubted(&user), &backend.context()).await;
        proven().await;
        assert!(list(&backend, &user).await.is_empty(), "{purpose:?}");
    }
    assert_eq!(backend.told(AuditKind::IdentityUnlinked, AuditOutcome::Success).await, 2);
}

pub async fn an_owner_who_changes_the_address_keeps_the_identities(backend: Arc<Backend>) {
    let (ada, linked, _) = scene(&backend).await;
    let hash = token(&backend, &ada, "countess@example.com").await;
    assert!(matches!(confirm(&backend, hash).await, EmailChangeConfirmed::Done(_)));
    assert_eq!(list(&backend, &ada).await, [linked]);
}

pub async fn an_emptied_account_tells_of_all_that_it_loses(backend: Arc<Backend>) {
    // promise O7
    let (ada, _, context) = scene(&backend).await;
    backend.enrolled(&ada).await;
    update(&backend, &doubted(&ada), &context).await;
    let reclaimed = adopt(&backend, &arrival(&backend, "2", ADA, true)).await;
    assert!(matches!(reclaimed, Adoption::Reclaimed { .. }), "{reclaimed:?}");
    let user = Some(ada.id.as_uuid());
    assert_eq!(unlinkings(&backend).await, [(user, user, Some("idp".to_owned()))]);
    assert_eq!(backend.told(AuditKind::SecondFactorRemoved, AuditOutcome::Success).await, 1);
    assert_eq!(list(&backend, &ada).await.len(), 1);
}
