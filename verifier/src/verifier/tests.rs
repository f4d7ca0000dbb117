//! Every verdict, and the order in which they are reached.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::revocation_index::{Change, LiveRevocation, RevokedTarget};
use crate::test_issuer::{HEADER, ISSUER, NOW, TestIssuer, payload};

mod malformed;
mod remembering;

fn with(name: &str, value: &Value) -> String {
    let mut payload = payload();
    payload[name] = value.clone();
    payload.to_string()
}

#[test]
fn a_good_token_is_active_and_gives_its_claims() {
    let issuer = TestIssuer::new();
    let Verdict::Active(claims) = issuer.verify(&issuer.sign(HEADER, &payload().to_string())) else {
        panic!("the token is good");
    };
    assert_eq!(claims.scope, ["read", "write"]);
    assert_eq!(serde_json::to_value(&*claims).unwrap(), payload());
}

#[test]
fn one_audience_as_a_string_no_scope_and_unknown_members_are_fine() {
    let issuer = TestIssuer::new();
    let mut payload = payload();
    payload["aud"] = json!("api");
    payload["future"] = json!({ "nested": [1, 1.5, null, true, "text", { "a": 1 }] });
    payload.as_object_mut().unwrap().remove("scope");
    let header = r#"{"typ":"at+jwt","future":{"a":1},"alg":"ES256","kid":"k1"}"#;
    let Verdict::Active(claims) = issuer.verify(&issuer.sign(header, &payload.to_string())) else {
        panic!("the token is good");
    };
    assert_eq!((&claims.aud, &claims.scope), (&vec!["api".to_owned()], &vec![]));
}

#[test]
fn a_token_speaks_of_a_client_where_its_client_is_its_subject() {
    let issuer = TestIssuer::new();
    let names_a_client = |client: &str| {
        let token = issuer.sign(HEADER, &with("client_id", &json!(client)));
        let Verdict::Active(claims) = issuer.verify(&token) else { panic!("the token is good") };
        claims.names_a_client()
    };
    assert!(names_a_client(&Uuid::from_u128(1).to_string()));
    assert!(!names_a_client(&Uuid::from_u128(2).to_string()) && !names_a_client("cli"));
}

#[test]
fn times_are_judged_with_the_leeway_and_no_more() {
    let issuer = TestIssuer::new();
    let none = (Expectations::default(), RevocationIndex::default());
    let token = issuer.sign(HEADER, &payload().to_string());
    let at = |millis: i64| issuer.verify_at(&token, NOW * 1_000 + millis, &none.0, &none.1);
    assert!(matches!(at(304_999), Verdict::Active(_)));
    assert_eq!(at(305_000), Verdict::Expired);
    assert!(matches!(at(-5_000), Verdict::Active(_)));
    assert_eq!(at(-5_001), Verdict::NotYetValid);
    let early = issuer.sign(HEADER, &with("nbf", &json!(NOW + 6)));
    assert_eq!(issuer.verify(&early), Verdict::NotYetValid);
    let fresh = issuer.sign(HEADER, &with("iat", &json!(NOW + 6)));
    assert_eq!(issuer.verify(&fresh), Verdict::NotYetValid);
}

#[test]
fn no_setting_takes_the_leeway_over_five_seconds() {
    let issuer = TestIssuer::new();
    let lax = Verifier::new(ISSUER.to_owned(), 900, 3_600);
    let token = issuer.sign(HEADER, &payload().to_string());
    let (revoked, expected) = (RevocationIndex::default(), Expectations::default());
    assert_eq!(lax.verify(&token, &issuer.keys, &revoked, &expected, (NOW + 305) * 1_000), Verdict::Expired);
}

#[test]
fn revocation_audience_and_roles_are_judged_in_this_order() {
    let issuer = TestIssuer::new();
    let token = issuer.sign(HEADER, &payload().to_string());
    let live = RevocationIndex::default();
    let revoked = RevocationIndex::default();
    let user = RevokedTarget::User { id: Uuid::from_u128(1), min_epoch: 5 };
    assert_eq!(revoked.revoke(&LiveRevocation { target: user, expires_at: i64::MAX }), Change::New);
    let expect = |audience: &str, role: &str| Expectations {
        audience: Some(audience.to_owned()),
        roles: vec!["user".to_owned(), role.to_owned()],
    };
    let now = NOW * 1_000;
    assert!(matches!(issuer.verify_at(&token, now, &expect("web", "admin"), &live), Verdict::Active(_)));
    assert_eq!(issuer.verify_at(&token, now, &expect("web", "root"), &live), Verdict::InsufficientRole);
    assert_eq!(issuer.verify_at(&token, now, &expect("other", "root"), &live), Verdict::WrongAudience);
    assert_eq!(issuer.verify_at(&token, now, &expect("other", "root"), &revoked), Verdict::Revoked);
}

// promise T1
#[test]
fn an_algorithm_other_than_the_keys_is_refused_even_when_it_would_fit() {
    let issuer = TestIssuer::new();
    let payload = URL_SAFE_NO_PAD.encode(payload().to_string());
    let public = issuer.pair.public_key().as_ref();
    for secret in [public, &public[1..], &[]] {
        let header = URL_SAFE_NO_PAD.encode(HEADER.replace("ES256", "HS256"));
        let message = format!("{header}.{payload}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(issuer.verify(&token), Verdict::BadSignature, "the public key is no secret");
    }
    for alg in ["none", "None", "HS256", "RS256", "EdDSA", "ES384", "es256", ""] {
        let token = issuer.sign(&HEADER.replace("ES256", alg), &self::payload().to_string());
        assert_eq!(issuer.verify(&token), Verdict::BadSignature, "{alg}");
    }
}

#[test]
fn every_changed_signature_byte_and_another_key_are_a_bad_signature() {
    let issuer = TestIssuer::new();
    let token = issuer.sign(HEADER, &payload().to_string());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for place in 0..signature.len() {
        let mut changed = signature.clone();
        changed[place] ^= 1;
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(changed));
        assert_eq!(issuer.verify(&token), Verdict::BadSignature, "byte {place}");
    }
    for length in [1, 63, 65, 128] {
        let resized: Vec<u8> = signature.iter().copied().cycle().take(length).collect();
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(resized));
        assert_eq!(issuer.verify(&token), Verdict::BadSignature, "{length} bytes");
    }
    assert_eq!(TestIssuer::new().verify(&token), Verdict::BadSignature);
}

// promise T3
#[test]
fn a_key_id_that_names_no_key_is_unknown_however_absurd() {
    let issuer = TestIssuer::new();
    for kid in
        ["", "k2", "K1", "k1 ", "../../k1", "https://evil.example/k", "' OR 1=1 --", "\\u0000", &"k".repeat(4_000)]
    {
        let token = issuer.sign(&HEADER.replace("k1", kid), &payload().to_string());
        assert_eq!(issuer.verify(&token), Verdict::UnknownKey, "{kid}");
    }
}

// promise T4
#[test]
fn another_type_or_kind_of_token_is_the_wrong_type() {
    let issuer = TestIssuer::new();
    for typ in ["JWT", "jwt", "AT+JWT", "application/at+jwt", "id+jwt", "at+jwt ", "logout+jwt", ""] {
        let token = issuer.sign(&HEADER.replace("at+jwt", typ), &payload().to_string());
        assert_eq!(issuer.verify(&token), Verdict::WrongType, "{typ}");
    }
    let untyped = issuer.sign(r#"{"alg":"ES256","kid":"k1"}"#, &payload().to_string());
    assert_eq!(issuer.verify(&untyped), Verdict::WrongType);
    for prefix in ["ksr", "kspr", "ksev", "ksec", "kss", "ksmc", "ksme", "kste", "ksos", "ksoc", "ksob"] {
        let token = format!("{prefix}_AAAA");
        assert_eq!(issuer.verify(&token), Verdict::WrongType, "{token}");
    }
}

#[test]
fn another_issuer_is_the_wrong_issuer() {
    let issuer = TestIssuer::new();
    for iss in ["https://auth.example/", "https://AUTH.example", "http://auth.example", "", "evil"] {
        let token = issuer.sign(HEADER, &with("iss", &json!(iss)));
        assert_eq!(issuer.verify(&token), Verdict::WrongIssuer, "{iss}");
    }
}
