//! An issuer for tests, that signs whatever it is given.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::key_set::{KeySet, VerificationKey};
use crate::revocation_index::RevocationIndex;
use crate::verdict::{Expectations, Verdict};
use crate::verifier::Verifier;

pub const NOW: i64 = 1_700_000_000;
pub const ISSUER: &str = "https://auth.example";
pub const HEADER: &str = r#"{"typ":"at+jwt","alg":"ES256","kid":"k1"}"#;

/// An issuer with one key.
pub struct TestIssuer {
    pub pair: EcdsaKeyPair,
    pub keys: KeySet,
}

impl TestIssuer {
    pub fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let mut keys = KeySet::default();
        keys.insert("k1", VerificationKey::es256(x.try_into().unwrap(), y.try_into().unwrap()));
        Self { pair, keys }
    }

    /// Signs whatever it is given, as it is.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        self.sign_encoded(&URL_SAFE_NO_PAD.encode(header), &URL_SAFE_NO_PAD.encode(payload))
    }

    pub fn sign_encoded(&self, header: &str, payload: &str) -> String {
        let message = format!("{header}.{payload}");
        let signature = self.pair.sign(&aws_lc_rs::rand::SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub fn verifier() -> Verifier {
        Verifier::new(ISSUER.to_owned(), 900, 5)
    }

    pub fn verify(&self, token: &str) -> Verdict {
        self.verify_at(token, NOW * 1_000, &Expectations::default(), &RevocationIndex::default())
    }

    pub fn verify_at(&self, token: &str, now: i64, expectations: &Expectations, revoked: &RevocationIndex) -> Verdict {
        Self::verifier().verify(token, &self.keys, revoked, expectations, now)
    }
}

/// The claims of a good token.
pub fn payload() -> Value {
    json!({
        "iss": ISSUER,
        "sub": Uuid::from_u128(1),
        "aud": ["api", "web"],
        "client_id": "cli",
        "exp": NOW + 300,
        "iat": NOW,
        "nbf": NOW,
        "jti": Uuid::from_u128(2),
        "sid": Uuid::from_u128(3),
        "epoch": 4,
        "auth_time": NOW,
        "amr": ["pwd"],
        "roles": ["user", "admin"],
        "scope": "read write",
    })
}
