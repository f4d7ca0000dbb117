//! Tokens of sign-ins that wait for a second factor, each purpose with a prefix of its own.

use zeroize::Zeroizing;

use super::random_token;
use crate::domain::clock::Entropy;
use crate::domain::second_factor::{ChallengeHash, ChallengePurpose};

/// A fresh token: the text for the client and the hash for the store.
pub struct MintedChallenge {
    pub text: Zeroizing<String>,
    pub hash: ChallengeHash,
}

pub fn mint(purpose: ChallengePurpose, entropy: &dyn Entropy) -> MintedChallenge {
    let text = random_token::mint(prefix(purpose), entropy);
    let hash = ChallengeHash(random_token::hash(&text));
    MintedChallenge { text, hash }
}

/// The hash to look a presented token up by; `None` for whatever is no well-formed token of this purpose. The prefix is
/// part of what is hashed: a token never passes for one of the other purpose.
pub fn parse(purpose: ChallengePurpose, text: &str) -> Option<ChallengeHash> {
    random_token::parse(prefix(purpose), text).map(ChallengeHash)
}

const fn prefix(purpose: ChallengePurpose) -> &'static str {
    match purpose {
        ChallengePurpose::Completion => "ksmc_",
        ChallengePurpose::Enrollment => "ksme_",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::TestEntropy;

    const PURPOSES: [ChallengePurpose; 2] = [ChallengePurpose::Completion, ChallengePurpose::Enrollment];

    // promise T6
    #[test]
    fn a_token_of_one_purpose_is_none_of_the_other_whatever_prefix_it_is_given() {
        for one in PURPOSES {
            let token = mint(one, &TestEntropy::default());
            assert_eq!(parse(one, &token.text), Some(token.hash));
            for other in PURPOSES.into_iter().filter(|other| *other != one) {
                assert_eq!(parse(other, &token.text), None);
                let dressed = token.text.replacen(prefix(one), prefix(other), 1);
                assert_ne!(parse(other, &dressed), Some(token.hash));
            }
        }
    }
}
