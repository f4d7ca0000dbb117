//! Project Wycheproof's vectors against the very code that judges access tokens. Every difference between its verdict
//! and ours has a reason here, or is a failure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wycheproof::TestResult;

use crate::compact;
use crate::header::Header;
use crate::jwk::Jwk;
use crate::key_set::{KeySet, VerificationKey};

#[test]
fn ed25519_signatures_are_judged_as_wycheproof_does() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let public: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        let key = VerificationKey::ed_dsa(&public);
        for test in group.tests {
            count += 1;
            let verdict = key.verifies(&test.msg, &test.sig);
            assert_eq!(verdict, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
        }
    }
    assert!(count >= 150, "{count} vectors");
}

#[test]
fn p256_signatures_are_judged_as_wycheproof_does() {
    let set = wycheproof::ecdsa::TestSet::load(wycheproof::ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let (x, y) = group.key.key[1..].split_at(32);
        let key = VerificationKey::es256(x.try_into().unwrap(), y.try_into().unwrap());
        for test in group.tests {
            count += 1;
            let verdict = key.verifies(&test.msg, &test.sig);
            assert_eq!(verdict, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
        }
    }
    assert!(count >= 250, "{count} vectors");
}

/// The vectors of the JOSE standards are not ours to hand on: the tests run where they lie.
fn vectors(name: &str) -> Option<Value> {
    #[expect(clippy::disallowed_methods, reason = "where the vectors lie is a matter of the machine, not of a setting")]
    let directory = std::env::var_os("KEYSTEAD_WYCHEPROOF_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/wycheproof"), PathBuf::from);
    let path = directory.join(name);
    if !path.exists() {
        println!("SKIPPED: no {}; set KEYSTEAD_WYCHEPROOF_DIR", path.display());
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

struct Vector<'a> {
    id: u64,
    comment: &'a str,
    jws: &'a str,
    is_valid: bool,
    /// The whole set of keys, or the one key.
    keys: &'a Value,
}

fn all(file: &Value) -> impl Iterator<Item = Vector<'_>> {
    file["testGroups"].as_array().unwrap().iter().flat_map(|group| {
        let keys = group.get("public").unwrap_or(&group["private"]);
        group["tests"].as_array().unwrap().iter().map(move |test| Vector {
            id: test["tcId"].as_u64().unwrap(),
            comment: test["comment"].as_str().unwrap(),
            jws: test["jws"].as_str().unwrap_or_default(),
            is_valid: test["result"] == "valid",
            keys,
        })
    })
}

/// What [`crate::Verifier::authenticate`] does with a token, without `typ` and claims, which no vector has.
fn accepts(jws: &str, keys: &KeySet) -> bool {
    let Some(compact) = compact::parse(jws) else { return false };
    let Some(header) = Header::parse(&compact.header) else { return false };
    keys.get(&header.kid)
        .is_some_and(|key| header.alg == key.algorithm().as_str() && key.verifies(compact.signed, &compact.signature))
}

/// Why a valid vector is refused here on purpose. An invalid one is never accepted.
fn reason_to_refuse(vector: &Vector<'_>) -> Option<&'static str> {
    let keys = vector
        .keys
        .get("keys")
        .and_then(Value::as_array)
        .map_or_else(|| vec![vector.keys], |keys| keys.iter().collect());
    if !keys.iter().any(|key| matches!(key["alg"].as_str(), Some("ES256" | "RS256" | "EdDSA") | None)) {
        return Some("the algorithm is not offered: shared secrets, PSS, longer hashes and curves");
    }
    vector.jws.contains("..").then_some("an empty payload holds no claims")
}

fn check(file: &Value, keys_of: impl Fn(&Value) -> KeySet) {
    let (mut accepted, mut refused) = (0, 0);
    let mut explained = BTreeMap::<&str, u32>::new();
    let mut unexplained = Vec::new();
    for vector in all(file) {
        match (accepts(vector.jws, &keys_of(vector.keys)), vector.is_valid, reason_to_refuse(&vector)) {
            (true, true, _) => accepted += 1,
            (false, false, _) => refused += 1,
            (false, true, Some(reason)) => *explained.entry(reason).or_default() += 1,
            _ => unexplained.push(format!("{}: {}", vector.id, vector.comment)),
        }
    }
    println!("{accepted} accepted, {refused} refused, different for a reason: {explained:?}");
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(accepted > 0 && refused > 0);
}

#[test]
fn signed_tokens_are_judged_as_wycheproof_does_or_for_a_reason() {
    let Some(file) = vectors("jws.json") else { return };
    check(&file, |key| {
        let mut keys = KeySet::default();
        let jwk: Option<Jwk> = serde_json::from_value(key.clone()).ok();
        if let Some((kid, key)) = jwk.and_then(|jwk| Some((jwk.kid.clone()?, VerificationKey::try_from(&jwk).ok()?))) {
            keys.insert(kid, key);
        }
        keys
    });
}

#[test]
fn published_keys_are_judged_as_wycheproof_does_or_for_a_reason() {
    let Some(file) = vectors("jwk.json") else { return };
    check(&file, |keys| KeySet::from_jwks(keys.to_string().as_bytes()).unwrap_or_default());
}
