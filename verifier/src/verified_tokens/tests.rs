//! What is remembered of tokens, and how much.

use uuid::Uuid;

use super::*;
use crate::test_issuer::{HEADER, NOW, TestIssuer, payload};
use crate::verdict::Expectations;
use crate::{RevocationIndex, Verdict, Verifier};

/// A digest and a token that was good, with so many roles.
fn good(issuer: &TestIssuer, number: usize, roles: usize) -> (TokenDigest, Arc<AuthenticToken>) {
    let mut payload = payload();
    payload["jti"] = serde_json::json!(Uuid::from_u128(number as u128));
    payload["roles"] = serde_json::json!(vec!["a role"; roles]);
    let token = issuer.sign(HEADER, &payload.to_string());
    let authentic = TestIssuer::verifier().authenticate(&token, &issuer.keys).unwrap();
    (digest_of(&token), Arc::new(authentic))
}

#[test]
fn it_holds_so_many_bytes_and_no_more() {
    const BYTES: usize = 64 * 1024;
    let issuer = TestIssuer::new();
    let verified = VerifiedTokens::new(BYTES);
    for number in 0..1_000 {
        let (digest, token) = good(&issuer, number, number % 7);
        verified.insert(digest, token);
    }
    assert!(verified.tokens.weight() <= BYTES as u64, "{}", verified.tokens.weight());
    assert!(verified.tokens.len() >= BYTES / USUAL_WEIGHT / 2, "{}", verified.tokens.len());
}

#[test]
fn more_claims_weigh_more() {
    let issuer = TestIssuer::new();
    let weight = |roles| {
        let (digest, token) = good(&issuer, 1, roles);
        ByBytes.weight(&digest, &token)
    };
    assert!(weight(0) >= 500, "{}", weight(0));
    assert_eq!(weight(10) - weight(0), 10 * (24 + 16 + 6));
}

#[test]
fn a_text_weighs_its_bytes() {
    let issuer = TestIssuer::new();
    let weight = |client: &str| {
        let mut payload = payload();
        payload["client_id"] = serde_json::json!(client);
        let token = issuer.sign(HEADER, &payload.to_string());
        let authentic = TestIssuer::verifier().authenticate(&token, &issuer.keys).unwrap();
        ByBytes.weight(&digest_of(&token), &Arc::new(authentic))
    };
    assert_eq!(weight(&"x".repeat(50)) - weight("x"), 49);
}

#[test]
fn only_what_was_good_is_remembered() {
    let issuer = TestIssuer::new();
    let verifier = TestIssuer::verifier().remembering(1 << 20);
    let kept = verifier.verified_tokens().unwrap();
    let revoked = RevocationIndex::default();
    let judge = |token: &str, expectations: &Expectations, now: i64| {
        verifier.verify(token, &issuer.keys, &revoked, expectations, now * 1_000)
    };
    let token = issuer.sign(HEADER, &payload().to_string());
    let none = Expectations::default();
    let other = Expectations { audience: Some("other".to_owned()), roles: Vec::new() };
    assert_eq!(judge(&token, &none, NOW + 900), Verdict::Expired);
    assert_eq!(judge(&token, &other, NOW), Verdict::WrongAudience);
    assert_eq!(judge(&format!("{token}A"), &none, NOW), Verdict::BadSignature);
    assert_eq!(
        judge(&issuer.sign(r#"{"typ":"at+jwt","alg":"ES256","kid":"k2"}"#, &payload().to_string()), &none, NOW),
        Verdict::UnknownKey
    );
    assert_eq!(kept.tokens.len(), 0);
    assert!(matches!(judge(&token, &none, NOW), Verdict::Active(_)));
    assert_eq!(kept.tokens.len(), 1);
    assert!(kept.get(&digest_of(&token)).is_some());
}

#[test]
fn a_verifier_without_room_remembers_nothing() {
    assert!(Verifier::new(String::new(), 900, 5).remembering(0).verified_tokens().is_none());
}

#[test]
fn it_tells_how_often_it_was_of_use() {
    let issuer = TestIssuer::new();
    let verifier = TestIssuer::verifier().remembering(1 << 20);
    assert_eq!(verifier.remembered(), Remembered::default());
    let token = issuer.sign(HEADER, &payload().to_string());
    for _ in 0..3 {
        let (expectations, revoked) = (Expectations::default(), RevocationIndex::default());
        assert!(matches!(
            verifier.verify(&token, &issuer.keys, &revoked, &expectations, NOW * 1_000),
            Verdict::Active(_)
        ));
    }
    let Remembered { tokens, bytes, hits, misses } = verifier.remembered();
    assert_eq!((tokens, hits, misses), (1, 2, 1));
    assert!(bytes >= 500, "{bytes}");
}
