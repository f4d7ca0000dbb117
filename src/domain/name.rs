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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_normalized() {
        assert_eq!(Name::parse("  Jose\u{301} ").unwrap().as_str(), "Jos\u{e9}");
        assert_eq!(Name::parse("").unwrap(), Name::default());
    }

    #[test]
    fn the_longest_name_is_counted_in_code_points() {
        assert!(Name::parse(&"\u{1f511}".repeat(MAX_NAME_CHARS)).is_ok());
        assert_eq!(Name::parse(&"a".repeat(MAX_NAME_CHARS + 1)), Err(NameFault::TooLong));
    }

    #[test]
    fn a_name_that_grows_when_normalized_is_still_bounded() {
        // U+0958 is excluded from composition: its normal form is two code points.
        assert_eq!(Name::parse(&"\u{958}".repeat(MAX_NAME_CHARS)), Err(NameFault::TooLong));
    }

    #[test]
    fn control_characters_are_refused_wherever_they_stand() {
        for text in ["\n", "a\0b", "a\u{1b}[31m", "a\u{85}", "tab\t"] {
            assert_eq!(Name::parse(text), Err(NameFault::ControlCharacter), "{text:?}");
        }
    }
}
