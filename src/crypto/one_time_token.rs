//! Tokens that are mailed, each purpose with a prefix of its own (promise X1).

use zeroize::Zeroizing;

use super::random_token;
use crate::domain::clock::Entropy;
use crate::domain::one_time_token::{TokenHash, TokenPurpose};

/// A fresh token: the text for the mail and the hash for the store.
pub struct MintedToken {
    pub text: Zeroizing<String>,
    pub hash: TokenHash,
}

pub fn mint(purpose: TokenPurpose, entropy: &dyn Entropy) -> MintedToken {
    let text = random_token::mint(prefix(purpose), entropy);
    let hash = TokenHash(random_token::hash(&text));
    MintedToken { text, hash }
}

/// The hash to look a presented token up by; `None` for whatever is no well-formed token of this purpose.
pub fn parse(purpose: TokenPurpose, text: &str) -> Option<TokenHash> {
    random_token::parse(prefix(purpose), text).map(TokenHash)
}

const fn prefix(purpose: TokenPurpose) -> &'static str {
    match purpose {
        TokenPurpose::PasswordReset => "kspr_",
        TokenPurpose::EmailVerification => "ksev_",
        TokenPurpose::EmailChange => "ksec_",
    }
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
