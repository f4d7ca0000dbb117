//! Secrets that are drawn: a prefix, then 256 random bits in base64url; stored as their SHA-256.
//!
//! The bits are too many to guess, so that a plain hash is enough to make the stored form worthless. The prefix is
//! distinct for each kind, so that a leaked one is recognised for what it is, and is part of what is hashed.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::domain::clock::Entropy;

const RANDOM_LEN: usize = 32;

/// A fresh one.
pub(super) fn mint(prefix: &str, entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; RANDOM_LEN]);
    entropy.fill(bytes.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(64));
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
    text
}

/// The hash of a presented one; `None` for whatever is not well-formed or has another prefix.
pub(super) fn parse(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; RANDOM_LEN]);
    let length = URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(prefix)?, bytes.as_mut_slice()).ok()?;
    (length == RANDOM_LEN).then(|| hash(text))
}

pub(super) fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; digest::SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}
