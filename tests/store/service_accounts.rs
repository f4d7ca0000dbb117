//! Service accounts and their secrets.

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::caller::CallerKind;
use keystead::domain::clock::Timestamp;
use keystead::domain::id::{ServiceAccountId, SessionId, UserId};
use keystead::domain::name::Name;
use keystead::domain::ports::principals::Standing;
use keystead::domain::ports::roles::RoleDeletion;
use keystead::domain::revocation::{Revocation, RevocationCursor, RevocationTarget};
use keystead::domain::service_account::{
    NewServiceAccount, SecretHash, SecretRotation, SecretRotationOutcome, ServiceAccount, ServiceAccountCreation,
    ServiceAccountDeletion,
};
use keystead::domain::user::{Epoch, UserState};

use crate::backend::Backend;
use crate::roles::{create as create_role, role_name};

const HOUR: Duration = Duration::from_hours(1);

fn secret(byte: u8) -> SecretHash {
    SecretHash([byte; 32])
}

impl Backend {
    fn new_service_account(&self, first: u8, roles: &[&str]) -> NewServiceAccount {
        NewServiceAccount {
            id: ServiceAccountId::generate(self.clock.as_ref(), self.entropy.as_ref()),
            display_name: Name::parse("Shop").expect("a name"),
            audiences: vec!["keystead".to_owned(), "shop".to_owned()],
            roles: roles.iter().map(|role| role_name(role)).collect(),
            secret: secret(first),
        }
    }

    async fn service_account(&self, first: u8) -> ServiceAccount {
        let new = self.new_service_account(first, &["verifier"]);
        match self.service_accounts.create(new, &self.context()).await.expect("the store answers") {
            ServiceAccountCreation::Created(account) => account,
            ServiceAccountCreation::RoleUnknown => panic!("the role is built in"),
        }
    }

    async fn opens(&self, id: ServiceAccountId, byte: u8, now: Timestamp) -> bool {
        let found = self.service_accounts.find_by_secret(id, &secret(byte), now).await.expect("the store answers");
        found.is_some_and(|account| account.id == id)
    }

    async fn rotate(&self, account: ServiceAccountId, byte: u8, overlap: Duration) -> SecretRotationOutcome {
        let overlap_ends_at = self.now().after(overlap);
        let revocations_expire_at = self.later();
        let rotation = SecretRotation { account, secret: secret(byte), overlap_ends_at, revocations_expire_at };
        self.service_accounts.rotate(rotation, &self.context()).await.expect("the store answers")
    }

    /// Rotates a second later: the account, and what was revoked.
    async fn rotate_to(&self, id: ServiceAccountId, byte: u8, overlap: Duration) -> (ServiceAccount, Vec<Revocation>) {
        self.clock.advance(Duration::from_secs(1));
        let outcome = self.rotate(id, byte, overlap).await;
        let SecretRotationOutcome::Rotated { account, revocations } = outcome else { panic!("{outcome:?}") };
        (account, revocations)
    }
}

pub async fn a_secret_opens_its_own_account_alone(backend: Arc<Backend>) {
    let shop = backend.service_account(1).await;
    let bank = backend.service_account(2).await;
    assert_eq!((shop.roles.as_slice(), shop.secrets.len()), ([role_name("verifier")].as_slice(), 1));
    assert_eq!(shop.audiences, ["keystead", "shop"]);
    let now = backend.now();
    assert!(backend.opens(shop.id, 1, now).await && backend.opens(bank.id, 2, now).await);
    assert!(!backend.opens(shop.id, 2, now).await && !backend.opens(bank.id, 1, now).await);
    assert!(!backend.opens(shop.id, 3, now).await);
    assert_eq!(backend.told(AuditKind::ServiceAccountCreated, AuditOutcome::Success).await, 2);
}

pub async fn an_account_needs_roles_that_exist(backend: Arc<Backend>) {
    let new = backend.new_service_account(1, &["verifier", "nothing"]);
    let id = new.id;
    let created = backend.service_accounts.create(new, &backend.context()).await;
    assert_eq!(created, Ok(ServiceAccountCreation::RoleUnknown));
    assert!(!backend.opens(id, 1, backend.now()).await);
    assert_eq!(backend.told(AuditKind::ServiceAccountCreated, AuditOutcome::Success).await, 0);
}

pub async fn a_role_of_a_service_account_is_in_use(backend: Arc<Backend>) {
    let created = create_role(&backend, "billing").await;
    assert_eq!(created, keystead::domain::ports::roles::RoleCreation::Created);
    let new = backend.new_service_account(1, &["billing"]);
    let id = new.id;
    let account = backend.service_accounts.create(new, &backend.context()).await;
    assert!(matches!(account, Ok(ServiceAccountCreation::Created(_))), "{account:?}");
    let delete = async || backend.roles.delete(&role_name("billing"), &backend.context()).await;
    assert_eq!(delete().await, Ok(RoleDeletion::InUse));
    let deleted = backend.service_accounts.delete(id, backend.later(), &backend.context()).await;
    assert!(matches!(deleted, Ok(ServiceAccountDeletion::Deleted { .. })), "{deleted:?}");
    assert_eq!(delete().await, Ok(RoleDeletion::Deleted));
}

pub async fn two_secrets_are_good_during_the_overlap(backend: Arc<Backend>) {
    let shop = backend.service_account(1).await;
    let (rotated, revocations) = backend.rotate_to(shop.id, 2, HOUR).await;
    assert_eq!(revocations, []);
    let ends_at = backend.now().after(HOUR);
    let lives: Vec<_> = rotated.secrets.iter().map(|life| life.expires_at).collect();
    assert_eq!(lives.len(), 2);
    assert!(lives.contains(&None) && lives.contains(&Some(ends_at)), "{lives:?}");
    let before = ends_at.before(Duration::from_millis(1));
    assert!(backend.opens(shop.id, 1, before).await && backend.opens(shop.id, 2, before).await);
    assert!(!backend.opens(shop.id, 1, ends_at).await);
    assert!(backend.opens(shop.id, 2, ends_at).await);
    assert_eq!(backend.told(AuditKind::ServiceAccountSecretRotated, AuditOutcome::Success).await, 1);
}

pub async fn a_secret_lasts_to_the_earliest_overlap_that_it_was_given(backend: Arc<Backend>) {
    let shop = backend.service_account(1).await;
    backend.rotate_to(shop.id, 2, HOUR).await;
    let ends_at = backend.now().after(HOUR);
    // The answer was lost: whoever asks again must not take the first secret away, which the machines still use.
    let (rotated, revocations) = backend.rotate_to(shop.id, 3, 2 * HOUR).await;
    assert_eq!((rotated.secrets.len(), revocations), (3, Vec::new()));
    assert!(backend.opens(shop.id, 1, ends_at.before(Duration::from_millis(1))).await);
    assert!(!backend.opens(shop.id, 1, ends_at).await, "a longer overlap does not make it longer");
    assert!(backend.opens(shop.id, 2, ends_at).await);
    assert!(!backend.opens(shop.id, 2, backend.now().after(2 * HOUR)).await);
    backend.clock.advance(HOUR);
    assert_eq!(backend.rotate_to(shop.id, 4, HOUR).await.0.secrets.len(), 3, "the expired one has gone");
}

pub async fn without_overlap_secrets_and_tokens_end_at_once(backend: Arc<Backend>) {
    // promise T8
    let shop = backend.service_account(1).await;
    backend.rotate_to(shop.id, 2, HOUR).await;
    let (left, revocations) = backend.rotate_to(shop.id, 3, Duration::ZERO).await;
    assert_eq!((left.secrets.len(), left.epoch), (1, Epoch(1)));
    let target = RevocationTarget::User { id: UserId::from_uuid(shop.id.as_uuid()), min_epoch: Epoch(1) };
    assert_eq!(revocations, [Revocation { target, expires_at: backend.later() }]);
    let live = backend.revocations.read(RevocationCursor::default(), backend.now()).await.expect("the store answers");
    assert_eq!(live.revocations, revocations);
    let now = backend.now();
    assert!(!backend.opens(shop.id, 1, now).await && !backend.opens(shop.id, 2, now).await);
    assert!(backend.opens(shop.id, 3, now).await);
    let standing = backend.principals.standing(shop.id.into()).await.expect("the store answers");
    assert_eq!(standing.map(|standing| standing.epoch), Some(Epoch(1)));
}

pub async fn an_eleventh_secret_is_refused_unless_it_ends_the_others(backend: Arc<Backend>) {
    let shop = backend.service_account(1).await;
    for byte in 2..=10 {
        backend.rotate_to(shop.id, byte, HOUR).await;
    }
    assert_eq!(backend.rotate(shop.id, 11, HOUR).await, SecretRotationOutcome::TooManySecrets);
    let now = backend.now();
    assert!(backend.opens(shop.id, 1, now).await && !backend.opens(shop.id, 11, now).await, "nothing is written");
    assert_eq!(backend.told(AuditKind::ServiceAccountSecretRotated, AuditOutcome::Success).await, 9);
    assert_eq!(backend.rotate_to(shop.id, 11, Duration::ZERO).await.0.secrets.len(), 1);
}

pub async fn the_roles_of_a_new_account_are_told_as_granted(backend: Arc<Backend>) {
    // promise G1
    let shop = backend.service_account(1).await;
    let trail = backend.trail().await;
    let granted: Vec<_> = trail.iter().filter(|told| told.kind == AuditKind::RoleGranted.as_str()).collect();
    assert_eq!(granted.len(), 1);
    assert_eq!((granted[0].subject, granted[0].detail.as_deref()), (Some(shop.id.as_uuid()), Some("verifier")));
}

pub async fn a_deleted_account_is_gone_and_its_tokens_revoked(backend: Arc<Backend>) {
    // promise T8
    let shop = backend.service_account(1).await;
    let deleted = backend.service_accounts.delete(shop.id, backend.later(), &backend.context()).await;
    let target = RevocationTarget::User { id: UserId::from_uuid(shop.id.as_uuid()), min_epoch: Epoch(1) };
    let revocations = vec![Revocation { target, expires_at: backend.later() }];
    assert_eq!(deleted, Ok(ServiceAccountDeletion::Deleted { revocations: revocations.clone() }));
    let live = backend.revocations.read(RevocationCursor::default(), backend.now()).await.expect("the store answers");
    assert_eq!(live.revocations, revocations);
    assert!(!backend.opens(shop.id, 1, backend.now()).await);
    let again = backend.service_accounts.delete(shop.id, backend.later(), &backend.context()).await;
    assert_eq!(again, Ok(ServiceAccountDeletion::Unknown));
    assert_eq!(backend.rotate(shop.id, 2, HOUR).await, SecretRotationOutcome::Unknown);
    assert_eq!(backend.told(AuditKind::ServiceAccountDeleted, AuditOutcome::Success).await, 1);
}

pub async fn accounts_are_listed_in_their_order_page_by_page(backend: Arc<Backend>) {
    let mut expected = Vec::new();
    for byte in 1..=5 {
        backend.clock.advance(Duration::from_millis(1));
        expected.push(backend.service_account(byte).await);
    }
    let mut seen: Vec<ServiceAccount> = Vec::new();
    loop {
        let after = seen.last().map(|account| account.id);
        let page = backend.service_accounts.list(after, 2, backend.now()).await.expect("the store answers");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page);
    }
    assert_eq!(seen, expected);
}

pub async fn users_and_service_accounts_stand_as_they_are(backend: Arc<Backend>) {
    // promise A1
    let ada = backend.user("ada@example.com").await;
    let shop = backend.service_account(1).await;
    let standing = |kind, roles: &[&str]| Standing {
        kind,
        state: UserState::Active,
        epoch: Epoch(0),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    };
    let found = backend.principals.standing(ada.id.into()).await;
    assert_eq!(found, Ok(Some(standing(CallerKind::User, &["user"]))));
    let found = backend.principals.standing(shop.id.into()).await;
    assert_eq!(found, Ok(Some(standing(CallerKind::ServiceAccount, &["verifier"]))));
    let nobody = ServiceAccountId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    assert_eq!(backend.principals.standing(nobody.into()).await, Ok(None));
}

pub async fn one_token_of_an_account_is_revoked_alone(backend: Arc<Backend>) {
    let shop = backend.service_account(1).await;
    let session = SessionId::generate(backend.clock.as_ref(), backend.entropy.as_ref());
    let revoked = backend.service_accounts.revoke_token(shop.id, session, backend.later(), &backend.context()).await;
    let expected = Revocation { target: RevocationTarget::Session(session), expires_at: backend.later() };
    assert_eq!(revoked, Ok(expected.clone()));
    let live = backend.revocations.read(RevocationCursor::default(), backend.now()).await.expect("the store answers");
    assert_eq!(live.revocations, [expected]);
    assert_eq!(backend.told(AuditKind::TokenRevoked, AuditOutcome::Success).await, 1);
}
