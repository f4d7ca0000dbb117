//! Recovery codes: 120 random bits in base32, in groups of four; stored as their SHA-256.
//!
//! Of 112 bits or more a plain hash is enough (NIST SP 800-63B-4, section 3.1.2.2).

use aws_lc_rs::digest;
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::domain::clock::Entropy;
use crate::domain::second_factor::{RECOVERY_CODES, RecoveryCodeHash};

/// So many that base32 needs no padding.
const RANDOM_LEN: usize = 15;
/// What that is in base32.
const CODE_LEN: usize = 24;
const GROUP_LEN: usize = 4;

/// Longer texts are refused before anything is done with them.
const MAX_BYTES: usize = 64;

/// Keeps these hashes apart from every other one.
const DOMAIN: &[u8] = b"keystead/recovery-code/";

/// A fresh code: the text for its owner and the hash for the store.
pub struct MintedCode {
    pub text: Zeroizing<String>,
    pub hash: RecoveryCodeHash,
}

/// As many fresh codes as an account has.
pub fn mint_set(entropy: &dyn Entropy) -> Vec<MintedCode> {
    (0..RECOVERY_CODES).map(|_| mint(entropy)).collect()
}

fn mint(entropy: &dyn Entropy) -> MintedCode {
    let mut random = Zeroizing::new([0; RANDOM_LEN]);
    entropy.fill(random.as_mut_slice());
    let code = Zeroizing::new(BASE32_NOPAD.encode(random.as_slice()));
    let mut text = Zeroizing::new(String::with_capacity(CODE_LEN + CODE_LEN / GROUP_LEN));
    for (place, letter) in code.chars().enumerate() {
        if place > 0 && place % GROUP_LEN == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    MintedCode { hash: hash(&code), text }
}

/// The hash to look a presented code up by, however its owner writes letters and gaps; `None` for whatever is no
/// well-formed one.
pub fn parse(text: &str) -> Option<RecoveryCodeHash> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let letters = text.chars().filter(|letter| *letter != '-' && !letter.is_whitespace());
    let code: Zeroizing<String> = Zeroizing::new(letters.map(|letter| letter.to_ascii_uppercase()).collect());
    let is_code = code.len() == CODE_LEN && BASE32_NOPAD.decode(code.as_bytes()).is_ok();
    is_code.then(|| hash(&code))
}

fn hash(code: &str) -> RecoveryCodeHash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(DOMAIN);
    context.update(code.as_bytes());
    let mut hash = [0; digest::SHA256_OUTPUT_LEN];
    hash.copy_from_slice(context.finish().as_ref());
    RecoveryCodeHash(hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::crypto::testing::TestEntropy;

    // promise M5
    #[test]
    fn an_account_has_ten_codes_of_120_bits_that_differ() {
        let codes = mint_set(&TestEntropy::default());
        let texts: BTreeSet<_> = codes.iter().map(|code| code.text.to_string()).collect();
        assert_eq!((codes.len(), texts.len()), (10, 10));
        assert!(texts.iter().all(|text| text.split('-').map(str::len).eq([4; 6])), "{texts:?}");
    }

    #[test]
    fn a_code_is_found_however_its_owner_writes_it() {
        let code = mint(&TestEntropy::default());
        let text = code.text.as_str();
        for written in
            [text.to_owned(), text.to_lowercase(), text.replace('-', ""), format!(" {} ", text.replace('-', " "))]
        {
            assert_eq!(parse(&written), Some(code.hash), "{written}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        let code = mint(&TestEntropy::default());
        for text in ["", "AAAA", &code.text[1..], &format!("{}A", *code.text), &"A".repeat(300), &"1".repeat(24)] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn gaps_make_a_code_as_long_as_one_may_be_and_no_longer() {
        let code = mint(&TestEntropy::default());
        assert_eq!(parse(&format!("{:-<MAX_BYTES$}", *code.text)), Some(code.hash));
        assert_eq!(parse(&format!("{:-<1$}", *code.text, MAX_BYTES + 1)), None);
    }
}
