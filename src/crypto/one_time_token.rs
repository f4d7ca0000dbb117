//! Tokens that are mailed: a prefix for each purpose, then 256 random bits; stored as their SHA-256.
//!
//! The bits are too many to guess, so that a plain hash is enough to make the stored form worthless (promise X1).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::domain::clock::Entropy;
use crate::domain::one_time_token::{TokenHash, TokenPurpose};

const TOKEN_LEN: usize = 32;

/// A fresh token: the text for the mail and the hash for the store.
pub struct MintedToken {
    pub text: Zeroizing<String>,
    pub hash: TokenHash,
}

pub fn mint(purpose: TokenPurpose, entropy: &dyn Entropy) -> MintedToken {
    let mut bytes = Zeroizing::new([0; TOKEN_LEN]);
    entropy.fill(bytes.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(64));
    text.push_str(prefix(purpose));
    URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
    let hash = hash(&text);
    MintedToken { text, hash }
}

/// The hash to look a presented token up by; `None` for whatever is no well-formed token of this purpose.
pub fn parse(purpose: TokenPurpose, text: &str) -> Option<TokenHash> {
    let mut bytes = Zeroizing::new([0; TOKEN_LEN]);
    let length = URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(prefix(purpose))?, bytes.as_mut_slice()).ok()?;
    (length == TOKEN_LEN).then(|| hash(text))
}

/// Distinct for each purpose and from every other token, so that a leaked one is recognised for what it is.
const fn prefix(purpose: TokenPurpose) -> &'static str {
    match purpose {
        TokenPurpose::PasswordReset => "kspr_",
        TokenPurpose::EmailVerification => "ksev_",
        TokenPurpose::EmailChange => "ksec_",
    }
}

/// Over the whole text: the purpose is in it.
fn hash(text: &str) -> TokenHash {
    let mut hash = [0; digest::SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    TokenHash(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::TestEntropy;

    const PURPOSES: [TokenPurpose; 3] =
        [TokenPurpose::PasswordReset, TokenPurpose::EmailVerification, TokenPurpose::EmailChange];

    #[test]
    fn a_minted_token_is_found_by_its_hash() {
        for purpose in PURPOSES {
            let token = mint(purpose, &TestEntropy::default());
            assert_eq!(parse(purpose, &token.text), Some(token.hash));
        }
    }

    // promise T6
    #[test]
    fn a_token_of_one_purpose_is_none_of_another() {
        for one in PURPOSES {
            for other in PURPOSES {
                let parsed = parse(other, &mint(one, &TestEntropy::default()).text);
                assert_eq!(parsed.is_some(), one == other, "{one:?} as {other:?}");
            }
        }
    }

    // promise X1
    #[test]
    fn two_tokens_differ() {
        let entropy = TestEntropy::default();
        let purpose = TokenPurpose::PasswordReset;
        assert_ne!(mint(purpose, &entropy).hash, mint(purpose, &entropy).hash);
    }

    #[test]
    fn every_prefix_and_every_change_of_length_or_padding_is_refused() {
        let purpose = TokenPurpose::PasswordReset;
        let token = mint(purpose, &TestEntropy::default());
        for end in 0..token.text.len() {
            assert_eq!(parse(purpose, &token.text[..end]), None, "prefix {end}");
        }
        for tail in ["=", "A", "AAAA", " ", "\n"] {
            assert_eq!(parse(purpose, &format!("{}{tail}", *token.text)), None, "{tail:?}");
        }
    }

    #[test]
    fn stray_bits_at_the_end_are_refused() {
        let text = format!("kspr_{}", "A".repeat(43));
        assert!(parse(TokenPurpose::PasswordReset, &text).is_some());
        let stray = format!("kspr_{}B", "A".repeat(42));
        assert_eq!(parse(TokenPurpose::PasswordReset, &stray), None);
    }
}
