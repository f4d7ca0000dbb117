//! The life of a signing key, by the clock.

use std::collections::HashSet;

use super::*;
use crate::crypto::seal::SealingKey;
use crate::domain::clock::Clock as _;
use crate::domain::key::KeyPurpose;
use crate::domain::ports::{Keys as _, StoreError};
use crate::service::keys::ensure::EnsureKeys;
use crate::service::testing::World;

/// The least that a clock tells apart.
const MOMENT: Duration = Duration::from_millis(1);

fn maintain(world: &World) -> MaintainKeys {
    MaintainKeys {
        ring: world.ring(),
        revocations: world.revocations.clone(),
        token_reach: world.settings.tokens.reach(),
    }
}

async fn signing(world: &World, state: KeyState) -> Vec<String> {
    let stored = world.store.load().await.unwrap();
    let keys = stored.keys.into_iter().filter(|key| key.purpose == KeyPurpose::Signing && key.state == state);
    keys.map(|key| key.id).collect()
}

fn published(world: &World) -> HashSet<String> {
    world.keys.ring().jwks().iter().map(|key| key.kid.clone()).collect()
}

#[tokio::test]
async fn a_key_is_published_for_the_lead_then_signs_then_outlives_its_last_token() {
    // promise T9
    let world = World::new().await;
    let maintain = maintain(&world);
    let lead = world.settings.keys.publish_lead();
    let first = signing(&world, KeyState::Active).await;

    maintain.run_once().await.unwrap();
    assert_eq!(published(&world).len(), 1, "nothing is due yet");

    world.advance(world.settings.keys.rotation_period.saturating_sub(lead));
    maintain.run_once().await.unwrap();
    let next = signing(&world, KeyState::Next).await;
    assert_eq!((next.len(), published(&world).len()), (1, 2));

    world.advance(lead.saturating_sub(MOMENT));
    maintain.run_once().await.unwrap();
    assert_eq!(signing(&world, KeyState::Active).await, first, "not published for long enough");

    world.advance(MOMENT);
    maintain.run_once().await.unwrap();
    assert_eq!(signing(&world, KeyState::Active).await, next);
    assert_eq!(signing(&world, KeyState::Retiring).await, first);

    world.advance((lead + world.settings.tokens.reach()).saturating_sub(MOMENT));
    maintain.run_once().await.unwrap();
    assert_eq!(published(&world).len(), 2, "a token of the first key may still be alive");
    world.advance(MOMENT);
    maintain.run_once().await.unwrap();
    assert_eq!(published(&world), next.into_iter().collect());

    let told = [AuditKind::KeyCreated, AuditKind::KeyActivated, AuditKind::KeyRetired].map(|kind| world.told(kind));
    assert_eq!(told, [7, 1, 1], "six keys at the start, one since");
}

#[tokio::test]
async fn a_late_replica_publishes_a_key_for_the_whole_lead_all_the_same() {
    // promise T9
    let world = World::new().await;
    let maintain = maintain(&world);
    world.advance(2 * world.settings.keys.rotation_period);
    maintain.run_once().await.unwrap();
    let first = signing(&world, KeyState::Active).await;
    maintain.run_once().await.unwrap();
    assert_eq!(signing(&world, KeyState::Active).await, first);
    world.advance(world.settings.keys.publish_lead());
    maintain.run_once().await.unwrap();
    assert_ne!(signing(&world, KeyState::Active).await, first);
}

#[tokio::test]
async fn two_replicas_make_one_next_key() {
    let world = World::new().await;
    let (one, two) = (maintain(&world), maintain(&world));
    world.advance(world.settings.keys.rotation_period);
    let (first, second) = tokio::join!(one.run_once(), two.run_once());
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert_eq!(signing(&world, KeyState::Next).await.len(), 1);
}

#[tokio::test]
async fn keys_of_other_purposes_stay() {
    let world = World::new().await;
    let refresh_key = world.keys.ring().active_refresh_key_id().to_owned();
    let maintain = maintain(&world);
    for _ in 0..8 {
        world.advance(world.settings.keys.rotation_period);
        maintain.run_once().await.unwrap();
    }
    assert_eq!(world.keys.ring().active_refresh_key_id(), refresh_key);
    assert_eq!(
        world.store.load().await.unwrap().keys.iter().filter(|key| key.purpose != KeyPurpose::Signing).count(),
        5
    );
}

#[tokio::test]
async fn a_ring_that_cannot_be_read_again_stops_signing_and_goes_on_verifying() {
    // promise T9
    let world = World::new().await;
    let maintain = maintain(&world);
    world.store.fail_with(Some(StoreError::Unavailable));
    world.advance(world.settings.keys.publish_lead());
    assert!(maintain.run_once().await.is_err());
    assert!(world.keys.signing_ring().is_ok());
    world.advance(MOMENT);
    assert!(world.keys.signing_ring().is_err());
    assert_eq!(published(&world).len(), 1);
    world.store.fail_with(None);
    maintain.run_once().await.unwrap();
    assert!(world.keys.signing_ring().is_ok());
}

#[tokio::test]
async fn a_ring_that_went_back_with_a_restored_database_is_used() {
    // promise R6
    let world = World::new().await;
    let maintain = maintain(&world);
    let older = world.keys.ring();
    world.advance(world.settings.keys.rotation_period);
    maintain.run_once().await.unwrap();
    assert!(world.keys.ring().version() > older.version());
    world.keys.replace(Arc::clone(&older), world.clock.monotonic());
    assert_eq!(world.keys.ring().version(), older.version());
    world.keys.replace(world.keys.ring(), Duration::ZERO);
    assert!(world.keys.signing_ring().is_ok(), "a reading from long ago changes nothing");
}

#[tokio::test]
async fn a_second_start_finds_the_keys_of_the_first() {
    let world = World::new().await;
    let again = ensure(&world, [7; 32]).run().await.unwrap();
    assert_eq!(again.ring().version(), world.keys.ring().version());
    assert_eq!(again.ring().jwks(), world.keys.ring().jwks());
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let world = World::new().await;
    assert!(ensure(&world, [8; 32]).run().await.is_err());
}

fn ensure(world: &World, master: [u8; 32]) -> EnsureKeys {
    EnsureKeys {
        keys: Arc::new(world.store.clone()),
        master: Arc::new(SealingKey::from_bytes(&master).into()),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        settings: world.settings.keys,
        revocations: world.revocations.clone(),
    }
}
