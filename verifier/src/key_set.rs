//! The public keys that tokens are verified with.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA256};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;

/// A signature algorithm. There are no others: neither `none` nor one with a shared secret can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4).
    Es256,
    /// Ed25519 (RFC 8037, section 3.1).
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3).
    Rs256,
}

impl Algorithm {
    /// The name in the `alg` header parameter. For Ed25519 it is `EdDSA` of RFC 8037: RFC 9864 deprecates it in favour
    /// of `Ed25519`, which too few libraries know yet; here the key fixes the curve, so the name leaves nothing open.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    const fn of_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// Something is no public key of an algorithm that tokens are signed with, or a set names a key twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFault;

impl std::fmt::Display for KeyFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("not a public key that access tokens are signed with")
    }
}

impl std::error::Error for KeyFault {}

/// The SHA-256 of a public key with its algorithm: tells keys apart whatever they are called.
pub(crate) type KeyFingerprint = [u8; 32];

/// A public key and the one algorithm it is used for.
#[derive(Clone, Debug)]
pub struct VerificationKey {
    algorithm: Algorithm,
    key: DecodingKey,
    fingerprint: KeyFingerprint,
}

impl VerificationKey {
    /// A point of P-256 by its coordinates, big-endian. One that is not on the curve verifies nothing.
    pub fn es256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        /// Opens an uncompressed point (SEC 1, section 2.3.3).
        const UNCOMPRESSED: &[u8] = &[4];
        let point = [UNCOMPRESSED, x, y].concat();
        Self::new(Algorithm::Es256, DecodingKey::from_ec_der(&point), &[&point])
    }

    /// A public key of Ed25519 (RFC 8032, section 5.1.5).
    pub fn ed_dsa(public: &[u8; 32]) -> Self {
        Self::new(Algorithm::EdDsa, DecodingKey::from_ed_der(public), &[public])
    }

    /// Modulus and exponent, big-endian and without leading zeros; 2,048 bits at least (RFC 7518, section 3.3) and
    /// 8,192 at most, so that nobody's key makes a check dear.
    pub fn rs256(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        const BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
        let modulus_is_sound = BYTES.contains(&modulus.len()) && modulus.first().is_some_and(|&byte| byte >= 0x80);
        let exponent_is_sound = (1..=4).contains(&exponent.len())
            && exponent.first() != Some(&0)
            && exponent.last().is_some_and(|&byte| byte % 2 == 1)
            && exponent != [1];
        if !modulus_is_sound || !exponent_is_sound {
            return Err(KeyFault);
        }
        let key = DecodingKey::from_rsa_raw_components(modulus, exponent);
        Ok(Self::new(Algorithm::Rs256, key, &[modulus, exponent]))
    }

    fn new(algorithm: Algorithm, key: DecodingKey, parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(algorithm.as_str().as_bytes());
        for part in parts {
            // Each part with its length, so that no two lists of parts read the same.
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        let mut fingerprint = KeyFingerprint::default();
        fingerprint.copy_from_slice(context.finish().as_ref());
        Self { algorithm, key, fingerprint }
    }

    pub(crate) const fn fingerprint(&self) -> &KeyFingerprint {
        &self.fingerprint
    }

    /// The one algorithm that it is used for.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether the key made this signature over these bytes. The provider is named rather than looked up, so that the
    /// process needs none installed and another crate's choice changes nothing.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm.of_library(), &self.key)
            .is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

/// The keys that tokens are verified with, by their ids.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, VerificationKey>,
}

impl KeySet {
    /// Adds a key, or puts it in the place of the one with the same id.
    pub fn insert(&mut self, kid: impl Into<String>, key: VerificationKey) {
        self.keys.insert(kid.into(), key);
    }

    /// The key with this id.
    pub fn get(&self, kid: &str) -> Option<&VerificationKey> {
        self.keys.get(kid)
    }

    /// Whether the key of this name is this very key.
    pub(crate) fn has(&self, kid: &str, fingerprint: &KeyFingerprint) -> bool {
        self.get(kid).is_some_and(|key| key.fingerprint() == fingerprint)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
