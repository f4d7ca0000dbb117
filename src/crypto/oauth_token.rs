//! What a sign-in at a provider is known by on its way, each kind with a prefix of its own (promise O1).

use zeroize::Zeroizing;

use super::random_token;
use crate::domain::clock::Entropy;
use crate::domain::one_time_token::TokenHash;

/// What a value is for; one is never accepted for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthToken {
    /// Travels to the provider and back.
    State,
    /// Ends the flow, together with the state and the caller's verifier.
    Code,
    /// Stays in the browser that began.
    Browser,
}

/// A fresh value, and its hash for the store.
pub struct MintedOAuthToken {
    pub text: Zeroizing<String>,
    pub hash: TokenHash,
}

pub fn mint(kind: OAuthToken, entropy: &dyn Entropy) -> MintedOAuthToken {
    let text = random_token::mint(prefix(kind), entropy);
    let hash = TokenHash(random_token::hash(&text));
    MintedOAuthToken { text, hash }
}

/// The hash of a presented value; `None` for whatever is no well-formed one of this kind.
pub fn parse(kind: OAuthToken, text: &str) -> Option<TokenHash> {
    random_token::parse(prefix(kind), text).map(TokenHash)
}

const fn prefix(kind: OAuthToken) -> &'static str {
    match kind {
        OAuthToken::State => "ksos_",
        OAuthToken::Code => "ksoc_",
        OAuthToken::Browser => "ksob_",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::TestEntropy;

    const KINDS: [OAuthToken; 3] = [OAuthToken::State, OAuthToken::Code, OAuthToken::Browser];

    // promise T6
    #[test]
    fn a_value_of_one_kind_is_none_of_another() {
        for one in KINDS {
            let minted = mint(one, &TestEntropy::default());
            for other in KINDS {
                let expected = (one == other).then_some(minted.hash);
                assert_eq!(parse(other, &minted.text), expected, "{one:?} as {other:?}");
            }
        }
    }

    // promise O1
    #[test]
    fn two_values_differ() {
        let entropy = TestEntropy::default();
        assert_ne!(mint(OAuthToken::State, &entropy).hash, mint(OAuthToken::State, &entropy).hash);
    }
}
