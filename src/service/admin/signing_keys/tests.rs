//! What is done to signing keys at an administrator's word.

use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::Verdict;

use super::list::ListSigningKeys;
use super::revoke::RevokeSigningKey;
use super::rotate::RotateSigningKey;
use crate::domain::audit::AuditKind;
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock as _;
use crate::domain::key::{KeyState, StoredKey};
use crate::domain::ports::Actor;
use crate::domain::user::User;
use crate::service::error::ServiceError;
use crate::service::keys::maintain::MaintainKeys;
use crate::service::testing::{World, origin};

fn rotate(world: &World) -> RotateSigningKey {
    RotateSigningKey { ring: world.ring(), clock: world.clock.clone() }
}

fn revoke(world: &World) -> RevokeSigningKey {
    RevokeSigningKey {
        ring: world.ring(),
        revoker: world.revoker.clone(),
        clock: world.clock.clone(),
        token_reach: world.settings.tokens.reach(),
    }
}

async fn maintain(world: &World) {
    let maintain = MaintainKeys {
        ring: world.ring(),
        revocations: Arc::clone(&world.revocations),
        token_reach: world.settings.tokens.reach(),
    };
    maintain.run_once().await.unwrap();
}

async fn list(world: &World) -> Vec<StoredKey> {
    ListSigningKeys { ring: world.ring() }.run().await.unwrap()
}

async fn active(world: &World) -> String {
    let keys = list(world).await;
    keys.into_iter().find(|key| key.state == KeyState::Active).expect("a key that signs").id
}

fn by(world: &World, user: &User) -> Initiator {
    let actor = Actor { id: user.id.into(), session: None };
    Initiator { actor: Some(actor), origin: world.context().origin }
}

fn nobody() -> Initiator {
    Initiator { actor: None, origin: origin(1) }
}

// promise T9
#[tokio::test]
async fn a_rotation_that_is_asked_for_takes_place_once_the_key_is_known_to_all() {
    let world = World::new().await;
    let first = active(&world).await;
    let next = rotate(&world).run(&nobody()).await.unwrap();
    assert_eq!(rotate(&world).run(&nobody()).await.unwrap(), next, "one next key, however often it is asked for");
    assert_eq!(list(&world).await.len(), 2);
    let lead = world.settings.keys.publish_lead();
    assert_eq!(next.activates_at, next.key.created_at.after(lead));

    world.advance(lead.checked_sub(Duration::from_millis(1)).unwrap());
    maintain(&world).await;
    assert_eq!(active(&world).await, first);
    world.advance(Duration::from_millis(1));
    maintain(&world).await;
    assert_eq!(active(&world).await, next.key.id);
}

// promise T9
#[tokio::test]
async fn a_revoked_key_is_gone_at_once_and_another_signs() {
    let world = World::new().await;
    let ada = world.user("ada@example.com").await;
    let old = world.sign_in(&ada).await.access_token;
    assert!(matches!(world.verdict(&old).await, Verdict::Active(_)));
    let first = active(&world).await;
    revoke(&world).run(&first, &by(&world, &ada)).await.unwrap();
    assert!(!matches!(world.verdict_from_memory(&old), Verdict::Active(_)), "at once");
    assert_ne!(active(&world).await, first);
    assert_eq!(list(&world).await.len(), 1);
    let fresh = world.sign_in(&ada).await.access_token;
    assert!(matches!(world.verdict_from_memory(&fresh), Verdict::Active(_)));
    assert_eq!(world.told(AuditKind::KeyRevoked), 1);
    assert_eq!(revoke(&world).run(&first, &nobody()).await, Err(ServiceError::SigningKeyUnknown));
    assert_eq!(world.told(AuditKind::KeyRevoked), 1);
}

#[tokio::test]
async fn the_next_key_takes_the_place_of_a_revoked_one() {
    let world = World::new().await;
    let next = rotate(&world).run(&nobody()).await.unwrap().key.id;
    revoke(&world).run(&active(&world).await, &nobody()).await.unwrap();
    assert_eq!(active(&world).await, next);
    assert_eq!(list(&world).await.len(), 1);
}

// promise T9
#[tokio::test]
async fn a_key_that_does_not_sign_goes_without_a_successor() {
    let world = World::new().await;
    let first = active(&world).await;
    let next = rotate(&world).run(&nobody()).await.unwrap().key.id;
    revoke(&world).run(&next, &nobody()).await.unwrap();
    assert_eq!(list(&world).await.into_iter().map(|key| key.id).collect::<Vec<_>>(), [first]);
    assert_eq!(world.told(AuditKind::KeyActivated), 0);
}

// promise T9
#[tokio::test]
async fn a_replica_that_hears_of_the_revocation_signs_no_more_with_the_key_until_it_has_the_new_ring() {
    let world = World::new().await;
    let before = world.keys.ring();
    revoke(&world).run(&active(&world).await, &nobody()).await.unwrap();
    assert!(world.keys.signing_ring().is_ok());
    // As on a replica that has the revocation, and the ring from before it.
    world.keys.replace(before, world.clock.monotonic());
    assert!(world.keys.signing_ring().is_err());
    maintain(&world).await;
    assert!(world.keys.signing_ring().is_ok());
}

#[tokio::test]
async fn keys_of_other_purposes_are_no_signing_keys() {
    let world = World::new().await;
    let refresh = world.keys.ring().active_refresh_key_id().to_owned();
    assert_eq!(revoke(&world).run(&refresh, &nobody()).await, Err(ServiceError::SigningKeyUnknown));
    assert_eq!(list(&world).await.len(), 1);
}
