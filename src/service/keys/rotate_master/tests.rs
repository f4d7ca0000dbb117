//! A change of the master key, while replicas know one, the other, or both.

use super::*;
use crate::crypto::key_ring::KeyRing;
use crate::crypto::master_keys::MasterKeys;
use crate::crypto::seal::SealingKey;
use crate::domain::key::KeyState;
use crate::domain::ports::Keys as _;
use crate::service::admin::signing_keys::rotate::RotateSigningKey;
use crate::service::testing::{World, origin};

/// What the world's own replica has.
const OLD: u8 = 7;
const NEW: u8 = 8;

fn sealing(byte: u8) -> SealingKey {
    SealingKey::from_bytes(&[byte; SealingKey::BYTES])
}

fn masters(current: u8, former: &[u8]) -> MasterKeys {
    MasterKeys::new(sealing(current), former.iter().map(|byte| sealing(*byte)).collect())
}

/// The stored keys, as a replica with these master keys changes them.
fn replica(world: &World, current: u8, former: &[u8]) -> Arc<StoredRing> {
    let ring = Arc::into_inner(world.ring()).unwrap();
    Arc::new(StoredRing { master: Arc::new(masters(current, former)), ..ring })
}

/// Whether a replica with these master keys can use what is stored.
async fn opens(world: &World, current: u8, former: &[u8]) -> bool {
    KeyRing::open(&world.store.load().await.unwrap(), &masters(current, former)).is_ok()
}

fn nobody() -> Initiator {
    Initiator { actor: None, origin: origin(1) }
}

fn rotate(ring: &Arc<StoredRing>) -> RotateMasterKey {
    RotateMasterKey { ring: Arc::clone(ring) }
}

// promise S4
#[tokio::test]
async fn every_key_moves_under_the_current_master_key_and_stays_the_same_key() {
    let world = World::new().await;
    let both = replica(&world, NEW, &[OLD]);
    let before = world.store.load().await.unwrap();
    let outcome = rotate(&both).run(&nobody()).await.unwrap();
    assert_eq!(outcome, MasterRotation { resealed: before.keys.len(), current: before.keys.len(), former: 0 });
    let after = world.store.load().await.unwrap();
    let told = |keys: &[StoredKey]| keys.iter().map(|key| (key.id.clone(), key.state)).collect::<Vec<_>>();
    assert_eq!(told(&after.keys), told(&before.keys));
    assert_eq!(world.told(AuditKind::MasterKeyRotated), 1);
    assert!(opens(&world, NEW, &[]).await, "the former one can go");
    assert!(!opens(&world, OLD, &[]).await);
    assert_eq!(rotate(&both).run(&nobody()).await.unwrap().resealed, 0, "a second run finds nothing to do");
    assert_eq!(world.told(AuditKind::MasterKeyRotated), 1);
    assert_eq!(world.store.load().await.unwrap().version, after.version);
}

// promise S4
#[tokio::test]
async fn until_then_new_keys_are_sealed_so_that_replicas_with_the_old_one_alone_open_them() {
    let world = World::new().await;
    let both = replica(&world, NEW, &[OLD]);
    let rotate_signing = RotateSigningKey { ring: Arc::clone(&both), clock: world.clock.clone() };
    let made = rotate_signing.run(&nobody()).await.unwrap();
    assert!(world.store.load().await.unwrap().keys.contains(&made.key));
    assert!(opens(&world, OLD, &[]).await && opens(&world, NEW, &[OLD]).await && opens(&world, OLD, &[NEW]).await);
    rotate(&both).run(&nobody()).await.unwrap();
    let made = rotate_signing.run(&nobody()).await.unwrap();
    assert_eq!(made.key.state, KeyState::Next);
    assert!(opens(&world, NEW, &[]).await, "what is made from then on is under the new one");
}

// promise S4
#[tokio::test]
async fn a_run_that_lacks_the_key_that_has_sealed_changes_nothing() {
    let world = World::new().await;
    let before = world.store.load().await.unwrap();
    assert!(rotate(&replica(&world, NEW, &[])).run(&nobody()).await.is_err());
    assert_eq!(world.store.load().await.unwrap(), before);
}
