//! Stored keys that open and that do not.

use keystead_verifier::{Expectations, RevocationIndex, Verdict, Verifier};
use uuid::Uuid;

use std::sync::Arc;

use super::*;
use crate::crypto::server_key::generate;
use crate::crypto::testing::TestEntropy;
use crate::domain::clock::Timestamp;
use crate::domain::key::SigningAlgorithm;

const PURPOSES: [KeyPurpose; 6] = [
    KeyPurpose::Signing,
    KeyPurpose::Refresh,
    KeyPurpose::Lookup,
    KeyPurpose::Mail,
    KeyPurpose::Page,
    KeyPurpose::Factor,
];
const ALGORITHMS: [SigningAlgorithm; 3] = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256];
const NOW: i64 = 1_700_000_000;

fn master(byte: u8) -> SealingKey {
    SealingKey::from_bytes(&[byte; SealingKey::BYTES])
}

fn masters(byte: u8) -> MasterKeys {
    master(byte).into()
}

fn key(purpose: KeyPurpose, algorithm: SigningAlgorithm, state: KeyState, created_at: i64) -> StoredKey {
    thread_local!(static ENTROPY: TestEntropy = TestEntropy::default());
    ENTROPY.with(|entropy| {
        generate(purpose, algorithm, state, &master(1), entropy, Timestamp::from_millis(created_at)).unwrap()
    })
}

fn stored(algorithm: SigningAlgorithm) -> StoredKeys {
    let keys = PURPOSES.map(|purpose| key(purpose, algorithm, KeyState::Active, 2));
    StoredKeys { version: 7, keys: keys.into() }
}

fn claims() -> Claims {
    Claims {
        iss: "https://auth.example".to_owned(),
        sub: Uuid::from_u128(1),
        aud: vec!["api".to_owned()],
        client_id: "cli".to_owned(),
        exp: NOW + 300,
        iat: NOW,
        nbf: NOW,
        jti: Uuid::from_u128(2),
        sid: Uuid::from_u128(3),
        epoch: 0,
        auth_time: NOW,
        amr: vec!["pwd".to_owned()],
        roles: vec!["user".to_owned()],
        scope: vec!["a".to_owned(), "b".to_owned()],
    }
}

fn verify(ring: &KeyRing, token: &str) -> Verdict {
    let verifier = Verifier::new("https://auth.example".to_owned(), 900, 5);
    verifier.verify(token, ring.verification_keys(), &RevocationIndex::default(), &Expectations::default(), NOW * 1_000)
}

#[test]
fn every_algorithm_signs_what_the_verifier_accepts() {
    for algorithm in ALGORITHMS {
        let ring = KeyRing::open(&stored(algorithm), &masters(1)).unwrap();
        let token = ring.sign(&claims()).unwrap();
        assert_eq!(verify(&ring, &token), Verdict::Active(Arc::new(claims())), "{algorithm:?}");
    }
}

#[test]
fn a_ring_knows_its_version_and_since_when_its_key_signs() {
    let ring = KeyRing::open(&stored(SigningAlgorithm::Es256), &masters(1)).unwrap();
    assert_eq!((ring.version(), ring.signing_since()), (7, Timestamp::from_millis(2)));
}

// promise T9
#[test]
fn keys_of_every_state_verify_and_are_published_newest_first() {
    let mut keys = stored(SigningAlgorithm::Es256);
    let old_ring = KeyRing::open(&keys, &masters(1)).unwrap();
    let token = old_ring.sign(&claims()).unwrap();
    let old = keys.keys.iter_mut().find(|key| key.purpose == KeyPurpose::Signing).unwrap();
    old.state = KeyState::Retiring;
    let old = old.id.clone();
    let active = key(KeyPurpose::Signing, SigningAlgorithm::EdDsa, KeyState::Active, 3);
    let next = key(KeyPurpose::Signing, SigningAlgorithm::Rs256, KeyState::Next, 4);
    let ids = [next.id.clone(), active.id.clone(), old];
    keys.keys.extend([active, next]);

    let ring = KeyRing::open(&keys, &masters(1)).unwrap();
    assert_eq!(verify(&ring, &token), Verdict::Active(Arc::new(claims())));
    assert_eq!(verify(&ring, &ring.sign(&claims()).unwrap()), Verdict::Active(Arc::new(claims())));
    assert_eq!(ring.jwks().iter().map(|jwk| jwk.kid.clone()).collect::<Vec<_>>(), ids);
    assert_eq!(ring.version(), 7);
}

// promise T7
#[test]
fn published_keys_have_public_members_only() {
    let public = ["kid", "kty", "use", "alg", "crv", "x", "y", "n", "e"];
    for algorithm in ALGORITHMS {
        let ring = KeyRing::open(&stored(algorithm), &masters(1)).unwrap();
        let json = serde_json::json!({ "keys": ring.jwks().as_ref() });
        let members = json["keys"][0].as_object().unwrap();
        assert!(members.keys().all(|name| public.contains(&name.as_str())), "{algorithm:?}");
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!members.contains_key(private), "{algorithm:?} shows {private}");
        }
        let published = KeySet::from_jwks(json.to_string().as_bytes()).unwrap();
        assert!(published.get(&ring.jwks()[0].kid).is_some(), "another service cannot read {algorithm:?}");
    }
}

#[test]
fn a_purpose_without_exactly_one_active_key_is_refused() {
    for purpose in PURPOSES {
        let mut none = stored(SigningAlgorithm::Es256);
        none.keys.iter_mut().filter(|key| key.purpose == purpose).for_each(|key| key.state = KeyState::Next);
        assert_eq!(KeyRing::open(&none, &masters(1)).err(), Some(RingError::Active { purpose, found: 0 }));

        let mut two = stored(SigningAlgorithm::Es256);
        two.keys.push(key(purpose, SigningAlgorithm::Es256, KeyState::Active, 3));
        assert_eq!(KeyRing::open(&two, &masters(1)).err(), Some(RingError::Active { purpose, found: 2 }));
    }
}

#[test]
fn another_master_key_opens_nothing() {
    let keys = stored(SigningAlgorithm::Es256);
    assert!(matches!(KeyRing::open(&keys, &masters(2)).err(), Some(RingError::Sealed { .. })));
}

#[test]
fn a_key_moved_to_another_purpose_or_id_does_not_open() {
    let keys = stored(SigningAlgorithm::Es256);
    let mut swapped = keys.clone();
    let (refresh, lookup) = (keys.keys[1].sealed.clone(), keys.keys[2].sealed.clone());
    swapped.keys[1].sealed = lookup;
    swapped.keys[2].sealed = refresh;
    assert!(matches!(KeyRing::open(&swapped, &masters(1)).err(), Some(RingError::Sealed { .. })));

    let mut renamed = keys;
    renamed.keys[0].id = "another".to_owned();
    assert!(matches!(KeyRing::open(&renamed, &masters(1)).err(), Some(RingError::Sealed { .. })));
}

#[test]
fn a_record_with_another_algorithm_is_refused() {
    let mut keys = stored(SigningAlgorithm::Es256);
    keys.keys[0].algorithm = Some(SigningAlgorithm::EdDsa);
    let id = keys.keys[0].id.clone();
    assert_eq!(KeyRing::open(&keys, &masters(1)).err(), Some(RingError::Mismatch { id }));
}

#[test]
fn older_refresh_keys_stay_at_hand() {
    let mut keys = stored(SigningAlgorithm::Es256);
    let retiring = key(KeyPurpose::Refresh, SigningAlgorithm::Es256, KeyState::Retiring, 1);
    keys.keys.push(retiring.clone());
    let ring = KeyRing::open(&keys, &masters(1)).unwrap();
    assert!(ring.refresh_key(&retiring.id).is_some());
    assert!(ring.refresh_key(ring.active_refresh_key_id()).is_some());
    assert!(ring.refresh_key("unknown").is_none());
}

#[test]
fn a_signing_key_under_an_id_that_is_not_its_thumbprint_is_refused() {
    let mut keys = stored(SigningAlgorithm::Es256);
    let another = crate::crypto::signing_key::generate(SigningAlgorithm::Es256).unwrap();
    let id = keys.keys[0].id.clone();
    keys.keys[0].sealed = master(1).seal(&format!("keystead/signing/{id}"), &another, &TestEntropy::default());
    assert_eq!(KeyRing::open(&keys, &masters(1)).err(), Some(RingError::Mismatch { id }));
}
