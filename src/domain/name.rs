//! Free text that people give to themselves and their devices.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// The longest name, in code points.
pub const MAX_NAME_CHARS: usize = 100;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("must have at most {MAX_NAME_CHARS} characters")]
    TooLong,
    #[error("must not contain control characters")]
    ControlCharacter,
}

/// A name to show: NFC, without control characters, at most [`MAX_NAME_CHARS`] code points; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        // Counted before it is normalized, so that a huge text costs nothing.
        if text.chars().nth(MAX_NAME_CHARS).is_some() {
            return Err(NameFault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(NameFault::ControlCharacter);
        }
        let name: String = text.trim().nfc().collect();
        if name.chars().nth(MAX_NAME_CHARS).is_some() {
            return Err(NameFault::TooLong);
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
