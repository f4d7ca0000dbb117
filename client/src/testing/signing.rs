//! Keys that sign.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_verifier::Claims;
use serde_json::json;

use crate::pb::JsonWebKey;

/// A key of ES256.
pub(super) struct SigningKey {
    pub(super) kid: String,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    pub(super) fn generate(kid: String) -> Self {
        Self { kid, pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key") }
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": self.kid }).to_string();
        let payload = serde_json::to_string(claims).expect("claims are JSON");
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(super) fn published(&self) -> JsonWebKey {
        let text = |value: &str| value.to_owned();
        // An uncompressed point (SEC 1, section 2.3.3): a byte, then the coordinates.
        let point = self.pair.public_key().as_ref();
        JsonWebKey {
            kid: self.kid.clone(),
            kty: text("EC"),
            r#use: text("sig"),
            alg: text("ES256"),
            crv: text("P-256"),
            x: URL_SAFE_NO_PAD.encode(&point[1..33]),
            y: URL_SAFE_NO_PAD.encode(&point[33..]),
            ..JsonWebKey::default()
        }
    }
}
