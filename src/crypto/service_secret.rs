//! Secrets of service accounts: shown once, stored as their hash.

use zeroize::Zeroizing;

use super::random_token;
use crate::domain::clock::Entropy;
use crate::domain::service_account::SecretHash;

const PREFIX: &str = "kss_";

/// A fresh secret: the text for whoever will use it and the hash for the store.
pub struct MintedSecret {
    pub text: Zeroizing<String>,
    pub hash: SecretHash,
}

pub fn mint(entropy: &dyn Entropy) -> MintedSecret {
    let text = random_token::mint(PREFIX, entropy);
    let hash = SecretHash(random_token::hash(&text));
    MintedSecret { text, hash }
}

/// The hash to look a presented secret up by; `None` for whatever is no well-formed one.
pub fn parse(text: &str) -> Option<SecretHash> {
    random_token::parse(PREFIX, text).map(SecretHash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::one_time_token;
    use crate::crypto::testing::TestEntropy;
    use crate::domain::one_time_token::TokenPurpose;

    #[test]
    fn a_minted_secret_is_found_by_its_hash() {
        let secret = mint(&TestEntropy::default());
        assert_eq!(parse(&secret.text), Some(secret.hash));
    }

    // promise T6
    #[test]
    fn a_secret_is_no_mailed_token_and_no_mailed_token_a_secret() {
        let entropy = TestEntropy::default();
        for purpose in [TokenPurpose::PasswordReset, TokenPurpose::EmailVerification] {
            assert_eq!(one_time_token::parse(purpose, &mint(&entropy).text), None);
            assert_eq!(parse(&one_time_token::mint(purpose, &entropy).text), None);
        }
    }
}
