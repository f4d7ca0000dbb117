//! Tokens that are mailed: a prefix for each purpose, then 256 random bits; stored as their SHA-256.

use crate::domain::clock::Entropy;
use crate::domain::one_time_token::{TokenHash, TokenPurpose};

/// A fresh token: the text for the mail and the hash for the store.
pub struct MintedToken {
    pub text: zeroize::Zeroizing<String>,
    pub hash: TokenHash,
}

pub fn mint(_purpose: TokenPurpose, _entropy: &dyn Entropy) -> MintedToken {
    todo!()
}

/// The hash to look a presented token up by; `None` for whatever is no well-formed token of this purpose.
pub fn parse(_purpose: TokenPurpose, _text: &str) -> Option<TokenHash> {
    todo!()
}
