//! Page tokens: where a list goes on, sealed, so that nobody can make one, read one, or use one for another list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::seal::SealingKey;
use crate::domain::clock::Entropy;

/// Longer texts are refused before any decoding.
const MAX_BYTES: usize = 2_048;

/// The token was not made by this service for this list, this caller and this question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the page token of the same list, caller, filter and order, unchanged")]
pub struct PageTokenFault;

/// What a page token is bound to: it opens for exactly the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageScope {
    /// Names the list, for example `users`.
    pub list: &'static str,
    /// Who asks.
    pub caller: String,
    /// Filter and order, written out without ambiguity.
    pub question: String,
}

impl PageScope {
    /// The list's name is a word of the code's own and the caller an id: neither holds a slash.
    fn context(&self) -> String {
        format!("page/{}/{}/{}", self.list, self.caller, self.question)
    }
}

/// Makes and opens page tokens.
pub struct PageTokens(SealingKey);

impl PageTokens {
    pub fn new(key: SealingKey) -> Self {
        Self(key)
    }

    pub fn issue(&self, scope: &PageScope, position: &[u8], entropy: &dyn Entropy) -> String {
        URL_SAFE_NO_PAD.encode(self.0.seal(&scope.context(), position, entropy))
    }

    /// The position that the token was issued with.
    pub fn open(&self, scope: &PageScope, token: &str) -> Result<Vec<u8>, PageTokenFault> {
        if token.len() > MAX_BYTES {
            return Err(PageTokenFault);
        }
        let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| PageTokenFault)?;
        self.0.open(&scope.context(), &sealed).map(|position| position.to_vec()).map_err(|_| PageTokenFault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::TestEntropy;

    fn tokens(byte: u8) -> PageTokens {
        PageTokens::new(SealingKey::from_bytes(&[byte; SealingKey::BYTES]))
    }

    fn scope() -> PageScope {
        PageScope { list: "users", caller: "c-1".to_owned(), question: "state=active".to_owned() }
    }

    // promise A6
    #[test]
    fn a_token_opens_for_the_same_list_caller_and_question_alone() {
        let token = tokens(1).issue(&scope(), b"after-7", &TestEntropy::default());
        assert_eq!(tokens(1).open(&scope(), &token).as_deref(), Ok(b"after-7".as_slice()));
        for other in [
            PageScope { list: "audit_events", ..scope() },
            PageScope { caller: "c-2".to_owned(), ..scope() },
            PageScope { question: "state=disabled".to_owned(), ..scope() },
        ] {
            assert_eq!(tokens(1).open(&other, &token), Err(PageTokenFault), "{other:?}");
        }
        assert_eq!(tokens(2).open(&scope(), &token), Err(PageTokenFault));
    }

    // promise A6
    #[test]
    fn every_flipped_bit_and_what_is_no_token_is_refused() {
        let token = tokens(1).issue(&scope(), b"after-7", &TestEntropy::default());
        let sealed = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let flipped = URL_SAFE_NO_PAD.encode(flipped);
            assert_eq!(tokens(1).open(&scope(), &flipped), Err(PageTokenFault), "bit {bit}");
        }
        for text in ["", "7", "after-7", "é", &"A".repeat(MAX_BYTES + 1), &format!("{token}="), &format!(" {token}")] {
            assert_eq!(tokens(1).open(&scope(), text), Err(PageTokenFault), "{text}");
        }
    }

    // promise A6
    #[test]
    fn the_longest_token_opens_and_a_longer_one_does_not_whatever_it_holds() {
        let issue = |length| tokens(1).issue(&scope(), &vec![7; length], &TestEntropy::default());
        let longest = (0..MAX_BYTES).rfind(|length| issue(*length).len() <= MAX_BYTES).expect("a length");
        assert_eq!(issue(longest).len(), MAX_BYTES);
        assert_eq!(tokens(1).open(&scope(), &issue(longest)), Ok(vec![7; longest]));
        assert_eq!(tokens(1).open(&scope(), &issue(longest + 1)), Err(PageTokenFault));
    }
}
