//! What accounts may do.

use std::sync::Arc;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::id::UserId;
use keystead::domain::mail::MailKind;
use keystead::domain::one_time_token::TokenPurpose;
use keystead::domain::ports::roles::RoleCreation;
use keystead::domain::ports::{Actor, AuditContext};
use keystead::domain::revocation::{Revocation, RevocationTarget};
use keystead::domain::rights::{DeletionOutcome, RightsChange, RightsOutcome, UserDeletion};
use keystead::domain::session::{RotationOutcome, SessionCreation};
use keystead::domain::user::{Epoch, ROLE_ADMIN, Revision, User, UserState};
use keystead::domain::user_change::MAX_ROLES;

use crate::backend::Backend;
use crate::fixture::{LEASE, email, keys_of, reread};
use crate::roles::{create, role_name};

fn admin() -> (RightsChange, RightsChange) {
    (RightsChange::Grant(role_name(ROLE_ADMIN)), RightsChange::Revoke(role_name(ROLE_ADMIN)))
}

impl Backend {
    pub async fn change(&self, user: &User, change: &RightsChange) -> RightsOutcome {
        self.rights.change(user.id, change, self.later(), &self.context()).await.expect("the store answers")
    }

    /// An administrator who can sign in.
    async fn administrator(&self, address: &str) -> User {
        let user = self.user(address).await;
        changed(self.change(&user, &admin().0).await).0
    }

    async fn delete(&self, user: UserId, context: &AuditContext) -> DeletionOutcome {
        let deletion = UserDeletion { user, account_key: [1; 32], revocations_expire_at: self.later() };
        self.rights.delete(deletion, context).await.expect("the store answers")
    }

    fn revocation_of(&self, id: UserId, min_epoch: i64) -> Vec<Revocation> {
        let target = RevocationTarget::User { id, min_epoch: Epoch(min_epoch) };
        vec![Revocation { target, expires_at: self.later() }]
    }
}

/// The account, what was revoked, and how many sessions ended.
fn changed(outcome: RightsOutcome) -> (User, Vec<Revocation>, usize) {
    let RightsOutcome::Changed { user, revocations, ended } = outcome else { panic!("{outcome:?}") };
    (user, revocations, ended.len())
}

pub async fn a_grant_takes_effect_once_and_is_told(backend: Arc<Backend>) {
    // promise T8
    let ada = backend.user("ada@example.com").await;
    let (user, revocations, ended) = changed(backend.change(&ada, &admin().0).await);
    assert_eq!(user.roles, ["admin", "user"]);
    assert_eq!((user.epoch, user.revision, ended), (Epoch(1), Revision(1), 0));
    assert_eq!(revocations, backend.revocation_of(ada.id, 1));
    assert_eq!(reread(&backend, &ada).await, user);
    assert_eq!(backend.change(&ada, &admin().0).await, RightsOutcome::Unchanged(user));
    let trail = backend.trail().await;
    let told: Vec<_> = trail.iter().filter(|told| told.kind == AuditKind::RoleGranted.as_str()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].subject, told[0].detail.as_deref()), (Some(ada.id.as_uuid()), Some("admin")));
}

pub async fn a_role_that_is_not_there_is_not_granted(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    for change in [RightsChange::Grant(role_name("nothing")), RightsChange::Revoke(role_name("nothing"))] {
        assert_eq!(backend.change(&ada, &change).await, RightsOutcome::RoleUnknown);
    }
    let nobody = User { id: UserId::generate(&*backend.clock, &*backend.entropy), ..ada.clone() };
    assert_eq!(backend.change(&nobody, &admin().0).await, RightsOutcome::UserUnknown);
    assert_eq!(reread(&backend, &ada).await, ada);
}

pub async fn a_revoked_role_goes_and_the_session_stays(backend: Arc<Backend>) {
    // promises T8, R8
    backend.administrator("root@example.com").await;
    let ada = backend.administrator("ada@example.com").await;
    let session = backend.session(&ada).await;
    let (user, revocations, ended) = changed(backend.change(&ada, &admin().1).await);
    assert_eq!((user.roles.as_slice(), ended), (["user".to_owned()].as_slice(), 0));
    assert_eq!(revocations, backend.revocation_of(ada.id, ada.epoch.0 + 1));
    assert!(backend.is_open(session.id).await);
    let rotated = backend.sessions.rotate(backend.rotation(&ada, &session, 0), &backend.context()).await;
    assert!(matches!(rotated, Ok(RotationOutcome::UserChanged)), "{rotated:?}");
    let rotated = backend.sessions.rotate(backend.rotation(&user, &session, 0), &backend.context()).await;
    assert!(matches!(rotated, Ok(RotationOutcome::Rotated(_))), "{rotated:?}");
}

pub async fn a_disabled_account_loses_its_sessions(backend: Arc<Backend>) {
    // promises T8, R8
    let ada = backend.user("ada@example.com").await;
    let sessions = [backend.session(&ada).await.id, backend.session(&ada).await.id];
    let (user, revocations, ended) = changed(backend.change(&ada, &RightsChange::Disable).await);
    assert_eq!((user.state, user.epoch, user.revision, ended), (UserState::Disabled, Epoch(1), Revision(1), 2));
    assert_eq!(revocations, backend.revocation_of(ada.id, 1));
    for session in sessions {
        assert!(!backend.is_open(session).await);
    }
    assert_eq!(backend.told(AuditKind::SessionEnded, AuditOutcome::Success).await, 2);
    assert_eq!(backend.change(&ada, &RightsChange::Disable).await, RightsOutcome::Unchanged(user));
}

pub async fn an_enabled_account_keeps_its_epoch(backend: Arc<Backend>) {
    // promise T8
    let ada = backend.user("ada@example.com").await;
    let (closed, ..) = changed(backend.change(&ada, &RightsChange::Disable).await);
    let (open, revocations, ended) = changed(backend.change(&ada, &RightsChange::Enable).await);
    assert_eq!((open.state, open.epoch, open.revision), (UserState::Active, closed.epoch, Revision(2)));
    assert_eq!((revocations, ended), (Vec::new(), 0), "tokens from before stay refused");
    let told = [AuditKind::UserDisabled, AuditKind::UserEnabled];
    for kind in told {
        assert_eq!(backend.told(kind, AuditOutcome::Success).await, 1);
    }
}

pub async fn the_last_administrator_stays(backend: Arc<Backend>) {
    // promise A4
    let ada = backend.administrator("ada@example.com").await;
    backend.user("eve@example.com").await;
    assert_eq!(backend.change(&ada, &admin().1).await, RightsOutcome::LastAdmin);
    assert_eq!(backend.change(&ada, &RightsChange::Disable).await, RightsOutcome::LastAdmin);
    assert_eq!(backend.delete(ada.id, &backend.context()).await, DeletionOutcome::LastAdmin);
    assert_eq!(reread(&backend, &ada).await, ada);
    backend.administrator("bob@example.com").await;
    changed(backend.change(&ada, &admin().1).await);
}

pub async fn a_disabled_administrator_is_none(backend: Arc<Backend>) {
    // promise A4
    let ada = backend.administrator("ada@example.com").await;
    let bob = backend.administrator("bob@example.com").await;
    changed(backend.change(&bob, &RightsChange::Disable).await);
    assert_eq!(backend.change(&ada, &RightsChange::Disable).await, RightsOutcome::LastAdmin);
    changed(backend.change(&bob, &admin().1).await);
    let deleted = backend.delete(bob.id, &backend.context()).await;
    assert!(matches!(deleted, DeletionOutcome::Deleted { .. }), "{deleted:?}");
}

pub async fn an_administrator_without_a_password_is_none(backend: Arc<Backend>) {
    // promise A4
    let ada = backend.administrator("ada@example.com").await;
    let bob = backend.administrator("bob@example.com").await;
    let required = backend.directory.require_reset(bob.id, backend.later(), &backend.context()).await;
    assert!(matches!(required, Ok(Some(_))), "{required:?}");
    assert_eq!(backend.change(&ada, &RightsChange::Disable).await, RightsOutcome::LastAdmin);
    assert_eq!(backend.delete(ada.id, &backend.context()).await, DeletionOutcome::LastAdmin);
    changed(backend.change(&bob, &admin().1).await);
}

pub async fn a_user_has_sixty_four_roles_at_most(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    for number in 1..=MAX_ROLES {
        let name = format!("role-{number}");
        assert_eq!(create(&backend, &name).await, RoleCreation::Created);
        let granted = backend.change(&ada, &RightsChange::Grant(role_name(&name))).await;
        if number < MAX_ROLES {
            changed(granted);
        } else {
            assert_eq!(granted, RightsOutcome::TooManyRoles);
        }
    }
    assert_eq!(reread(&backend, &ada).await.roles.len(), MAX_ROLES);
    changed(backend.change(&ada, &RightsChange::Revoke(role_name("role-1"))).await);
    changed(backend.change(&ada, &RightsChange::Grant(role_name("role-64"))).await);
}

pub async fn of_two_who_demote_each_other_one_stays(backend: Arc<Backend>) {
    // promise A4
    let ada = backend.administrator("ada@example.com").await;
    let bob = backend.administrator("bob@example.com").await;
    for round in 0..20 {
        let (demotion, restoration) =
            if round % 2 == 0 { (admin().1, admin().0) } else { (RightsChange::Disable, RightsChange::Enable) };
        let outcomes = tokio::join!(backend.change(&ada, &demotion), backend.change(&bob, &demotion));
        let demoted = match outcomes {
            (RightsOutcome::Changed { .. }, RightsOutcome::LastAdmin) => &ada,
            (RightsOutcome::LastAdmin, RightsOutcome::Changed { .. }) => &bob,
            other => panic!("{other:?}"),
        };
        changed(backend.change(demoted, &restoration).await);
    }
}

pub async fn a_deleted_account_leaves_nothing_but_ids(backend: Arc<Backend>) {
    // promise D1
    let ada = backend.user("ada@example.com").await;
    let mut new = backend.new_session(&ada);
    new.attempt = Some(keys_of(1, 9));
    assert!(matches!(backend.open(new.clone()).await, SessionCreation::Created { .. }));
    let failed = backend.attempts.count(&keys_of(1, 9), &backend.context()).await.expect("counted");
    assert_eq!(failed.in_a_row, 1);
    let token = backend.token(&ada, TokenPurpose::PasswordReset).await;
    backend
        .outbox
        .enqueue(MailKind::PasswordReset, &email("ADA@example.com"), &backend.context())
        .await
        .expect("queued");
    backend.ask_for_change(&ada, "elsewhere@example.com").await;
    let ada = backend.enrolled(&ada).await;
    let challenge = backend.challenge(&ada).await;
    let actor = Actor { id: UserId::generate(&*backend.clock, &*backend.entropy).into(), session: None };
    let context = AuditContext { actor: Some(actor), ..backend.context() };

    let deleted = backend.delete(ada.id, &context).await;
    assert_eq!(deleted, DeletionOutcome::Deleted { revocations: backend.revocation_of(ada.id, 2) });
    assert_eq!(backend.users.find(ada.id).await, Ok(None));
    assert_eq!(backend.factors.is_enrolled(ada.id).await, Ok(false));
    assert_eq!(backend.factors.find_challenge(&challenge, backend.now()).await, Ok(None));
    assert!(backend.sessions.find(new.session.id).await.expect("the store answers").is_none());
    let found = backend.tokens.find(&token, TokenPurpose::PasswordReset, backend.now()).await;
    assert_eq!(found, Ok(None));
    let left = backend.outbox.lease(100, LEASE, backend.now().after(2 * LEASE)).await.expect("the store answers");
    assert!(left.iter().all(|mail| mail.owner.is_none_or(|owner| owner.user_id != ada.id)), "{left:?}");
    assert!(left.iter().all(|mail| mail.requested_for.key() != "ada@example.com"), "{left:?}");
    let attempt = backend.attempts.count(&keys_of(1, 9), &backend.context()).await.expect("counted");
    assert_eq!((attempt.in_a_row, attempt.known_source), (1, false));

    let trail = backend.trail().await;
    let theirs: Vec<_> = trail.iter().filter(|told| told.subject == Some(ada.id.as_uuid())).collect();
    let (own, of_others): (Vec<_>, Vec<_>) =
        theirs.into_iter().partition(|told| told.actor != Some(actor.id.as_uuid()));
    assert!(!own.is_empty() && own.iter().all(|told| told.source.is_none()), "{own:?}");
    assert_eq!(of_others.len(), 1);
    assert_eq!((of_others[0].kind.as_str(), of_others[0].source.as_deref()), ("user_deleted", Some("192.0.2.7")));
    assert_eq!(backend.delete(ada.id, &context).await, DeletionOutcome::UserUnknown);
    assert_ne!(backend.user("ada@example.com").await.id, ada.id, "the address is free again");
}

pub async fn the_waiting_mails_of_others_stay(backend: Arc<Backend>) {
    let ada = backend.user("ada@example.com").await;
    backend.user("ad@example.com").await;
    let deleted = backend.delete(ada.id, &backend.context()).await;
    assert!(matches!(deleted, DeletionOutcome::Deleted { .. }), "{deleted:?}");
    let left = backend.outbox.lease(100, LEASE, backend.now()).await.expect("the store answers");
    assert_eq!(left.iter().map(|mail| mail.requested_for.as_str()).collect::<Vec<_>>(), ["ad@example.com"]);
}
