//! Passwords as people type them, and the rules for new ones.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::email::Email;

/// The longest password, in code points. Never cut short: a longer one is refused.
pub const MAX_PASSWORD_CHARS: usize = 256;

/// What attackers try first: entries of at least 8 characters, in lower case. Its head names the source.
const COMMON_PASSWORDS: &str = include_str!("common_passwords.txt");

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| COMMON_PASSWORDS.lines().filter(|line| !line.starts_with("# ")).collect());

const PRODUCT: &str = "keystead";

/// A shorter local part says too little of a password that holds it.
const MIN_WORD_CHARS: usize = 3;

/// The most code points that one becomes when it is decomposed canonically (UAX #15, section 12.1).
const NFC_CONTRACTION: usize = 4;

/// Normalization makes a text longer by this factor at most (UAX #15, section 9.2, for UTF-8).
const NFC_EXPANSION: usize = 3;

/// Why a text is no password, or not good enough for a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {MAX_PASSWORD_CHARS} characters")]
    TooLong,
    #[error("must have at least {minimum} characters")]
    TooShort { minimum: usize },
    #[error("is too common: attackers try it first")]
    Common,
    #[error("must not be the address or a part of it")]
    IsAddress,
    #[error("must not be the name of this product")]
    IsProduct,
}

/// A password in NFC, wiped from memory when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    pub fn parse(text: &str) -> Result<Self, PasswordFault> {
        if text.is_empty() {
            return Err(PasswordFault::Empty);
        }
        // Before anything is copied: no decomposed form of a password that fits is longer.
        if text.chars().nth(MAX_PASSWORD_CHARS * NFC_CONTRACTION).is_some() {
            return Err(PasswordFault::TooLong);
        }
        // As long as it can get at once: a string that grows leaves copies behind that nobody wipes.
        let mut normal = Zeroizing::new(String::with_capacity(text.len() * NFC_EXPANSION));
        normal.extend(text.nfc());
        if normal.chars().nth(MAX_PASSWORD_CHARS).is_some() {
            return Err(PasswordFault::TooLong);
        }
        Ok(Self(normal))
    }

    /// The bytes to hash, and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// The rules for a new password (NIST SP 800-63B-4, section 3.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// In code points.
    pub min_chars: usize,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_chars: 8 }
    }
}

impl PasswordPolicy {
    /// Judges a new password for the account with this address. Case does not count, and digits and punctuation round
    /// a word do not make it another.
    pub fn check(&self, password: &Password, email: &Email) -> Result<(), PasswordFault> {
        self.check_alone(password)?;
        let folded = Zeroizing::new(password.expose().to_lowercase());
        let address = email.as_str().to_lowercase();
        let mut words = address.split('@').chain([address.as_str()]);
        if words.any(|word| is_only(&folded, word)) {
            return Err(PasswordFault::IsAddress);
        }
        Ok(())
    }

    /// Judges what can be judged of it where the address is not known.
    pub fn check_alone(&self, password: &Password) -> Result<(), PasswordFault> {
        if password.expose().chars().count() < self.min_chars {
            return Err(PasswordFault::TooShort { minimum: self.min_chars });
        }
        let folded = Zeroizing::new(password.expose().to_lowercase());
        if COMMON.contains(folded.as_str()) {
            return Err(PasswordFault::Common);
        }
        if is_only(&folded, PRODUCT) {
            return Err(PasswordFault::IsProduct);
        }
        Ok(())
    }
}

/// Whether the password is the word, once or repeatedly, with nothing but ASCII digits and punctuation beside it.
fn is_only(password: &str, word: &str) -> bool {
    let is_trimming = |c: char| c.is_ascii_digit() || c.is_ascii_punctuation();
    word.chars().count() >= MIN_WORD_CHARS
        && password.contains(word)
        && password.split(word).all(|rest| rest.chars().all(is_trimming))
}

#[cfg(test)]
mod tests;
