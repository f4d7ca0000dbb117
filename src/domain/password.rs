//! Passwords as people type them, and the rules for new ones.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::email::Email;

/// The longest password, in code points. Never cut short: a longer one is refused.
pub const MAX_PASSWORD_CHARS: usize = 256;

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
        if text.chars().nth(MAX_PASSWORD_CHARS).is_some() {
            return Err(PasswordFault::TooLong);
        }
        Ok(Self(Zeroizing::new(text.nfc().collect())))
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
    /// Judges a new password for the account with this address.
    pub fn check(&self, _password: &Password, _email: &Email) -> Result<(), PasswordFault> {
        todo!()
    }
}
