//! Takes access tokens apart, and puts forged ones together.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The parts of a compact JWS.
#[derive(Clone, Debug)]
pub struct Jwt {
    pub header: Value,
    pub claims: Value,
    pub signature: Vec<u8>,
}

impl Jwt {
    /// Takes a good token apart.
    pub fn parse(token: &str) -> Self {
        let parts: Vec<Vec<u8>> = token.split('.').map(|part| decode(part).expect("base64url")).collect();
        let [header, claims, signature] = parts.try_into().expect("three parts");
        let json = |bytes: &[u8]| serde_json::from_slice(bytes).expect("JSON");
        Self { header: json(&header), claims: json(&claims), signature }
    }

    /// The same with one header parameter replaced; `null` removes it.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        replace(&mut self.header, name, value);
        self
    }

    /// The same with one claim replaced; `null` removes it.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        replace(&mut self.claims, name, value);
        self
    }

    /// In compact form, with the signature as it stands.
    pub fn compact(&self) -> String {
        format!("{}.{}", self.signing_input(), encode(&self.signature))
    }

    /// In compact form, signed anew by a key of nobody's.
    pub fn signed_by(mut self, key: &Forger) -> String {
        self.signature = key.sign(self.signing_input().as_bytes());
        self.compact()
    }

    pub fn signing_input(&self) -> String {
        format!("{}.{}", encode(self.header.to_string().as_bytes()), encode(self.claims.to_string().as_bytes()))
    }
}

/// An ES256 key that the service has never seen.
pub struct Forger(EcdsaKeyPair);

impl Default for Forger {
    fn default() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }
}

impl Forger {
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    }
}

impl Forger {
    /// The public key, under a name.
    pub fn jwk(&self, kid: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
        serde_json::json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y })
    }
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn replace(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().expect("an object");
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}
