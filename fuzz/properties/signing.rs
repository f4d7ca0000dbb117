//! Tokens that are signed whatever they say, so that what lies behind the signature is reached.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_verifier::{KeySet, VerificationKey};

/// The name of the one key.
pub const KID: &str = "k";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any 32 bytes are a seed")
}

/// The set with the one key.
pub fn keys() -> KeySet {
    let mut keys = KeySet::default();
    let public = pair().public_key().as_ref().try_into().expect("32 bytes");
    keys.insert(KID, VerificationKey::ed_dsa(&public));
    keys
}

/// The token with this header and these claims, signed.
pub fn signed(header: &[u8], claims: &[u8]) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = pair().sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}
