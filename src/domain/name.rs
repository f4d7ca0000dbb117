//! Free text that people give to themselves and their devices.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

/// The longest name, in code points.
pub const MAX_NAME_CHARS: usize = 100;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("must have at most {0} characters")]
    TooLong(usize),
    #[error("must not contain control characters")]
    ControlCharacter,
    #[error("must not contain characters that change the direction of text")]
    Reordering,
}

/// A name to show: NFC, without control characters and overrides of direction, at most [`MAX_NAME_CHARS`] code points;
/// may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        one_line(text, MAX_NAME_CHARS).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of free text: trimmed and in NFC, if it has no control characters and overrides of direction, and at most so
/// many code points.
pub(super) fn one_line(text: &str, max_chars: usize) -> Result<String, NameFault> {
    let is_too_long = |text: &str| text.chars().nth(max_chars).is_some();
    // Counted before it is normalized, so that a huge text costs nothing.
    if is_too_long(text) {
        return Err(NameFault::TooLong(max_chars));
    }
    if text.chars().any(char::is_control) {
        return Err(NameFault::ControlCharacter);
    }
    if text.chars().any(reorders) {
        return Err(NameFault::Reordering);
    }
    let line: String = text.trim().nfc().collect();
    if is_too_long(&line) { Err(NameFault::TooLong(max_chars)) } else { Ok(line) }
}

/// Embeddings, overrides and isolates (UAX #9, section 2): they let a name rearrange the text around it. Scripts that are
/// written from right to left need none, and joiners, which names do need, are not among them.
fn reorders(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
        assert_eq!(Name::parse(&"a".repeat(MAX_NAME_CHARS + 1)), Err(NameFault::TooLong(MAX_NAME_CHARS)));
    }

    #[test]
    fn a_name_that_grows_when_normalized_is_still_bounded() {
        // U+0958 is excluded from composition: its normal form is two code points.
        assert_eq!(Name::parse(&"\u{958}".repeat(MAX_NAME_CHARS)), Err(NameFault::TooLong(MAX_NAME_CHARS)));
    }

    #[test]
    fn control_characters_are_refused_wherever_they_stand() {
        for text in ["\n", "a\0b", "a\u{1b}[31m", "a\u{85}", "tab\t"] {
            assert_eq!(Name::parse(text), Err(NameFault::ControlCharacter), "{text:?}");
        }
    }

    #[test]
    fn a_name_cannot_rearrange_the_text_around_it() {
        for text in ["a\u{202e}b", "\u{202a}", "a\u{2066}b\u{2069}"] {
            assert_eq!(Name::parse(text), Err(NameFault::Reordering), "{text:?}");
        }
        for text in ["\u{5d3}\u{5d5}\u{5d3}", "\u{1f469}\u{200d}\u{1f4bb}", "\u{645}\u{6cc}\u{200c}\u{62e}"] {
            assert!(Name::parse(text).is_ok(), "{text:?}");
        }
    }
}
