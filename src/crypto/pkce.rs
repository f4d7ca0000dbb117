//! Proof keys for code exchange, by the method S256 alone (RFC 7636).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::domain::clock::Entropy;
use crate::domain::oauth_flow::PkceChallenge;

/// The lengths of a verifier (RFC 7636, section 4.1).
const VERIFIER_LENGTHS: std::ops::RangeInclusive<usize> = 43..=128;

/// A fresh verifier: 256 random bits.
pub fn mint_verifier(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    entropy.fill(bytes.as_mut_slice());
    Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))
}

/// The challenge that a verifier answers; `None` for whatever cannot be one.
pub fn challenge_of(verifier: &str) -> Option<PkceChallenge> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !VERIFIER_LENGTHS.contains(&verifier.len()) || !verifier.bytes().all(is_unreserved) {
        return None;
    }
    let digest = digest::digest(&digest::SHA256, verifier.as_bytes());
    PkceChallenge::parse(&URL_SAFE_NO_PAD.encode(digest.as_ref())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::TestEntropy;

    #[test]
    fn the_example_of_the_rfc_holds() {
        // RFC 7636, appendix B.
        let challenge = challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    // promise O2
    #[test]
    fn a_verifier_of_ours_is_one_and_differs_from_the_next() {
        let entropy = TestEntropy::default();
        let (one, other) = (mint_verifier(&entropy), mint_verifier(&entropy));
        assert!(challenge_of(&one).is_some());
        assert_ne!(challenge_of(&one), challenge_of(&other));
    }

    #[test]
    fn what_is_too_short_too_long_or_of_other_characters_is_no_verifier() {
        for text in ["", &"a".repeat(42), &"a".repeat(129), &format!("{}+", "a".repeat(42)), &"é".repeat(30)] {
            assert_eq!(challenge_of(text), None, "{text:?}");
        }
        for length in [43, 128] {
            assert!(challenge_of(&"~".repeat(length)).is_some());
        }
    }
}
