//! The language that mails to somebody are written in.

use std::fmt;

/// The longest tag (RFC 5646, section 4.4.1).
const MAX_LANGUAGE_BYTES: usize = 35;
/// The longest subtag (RFC 5646, section 2.1).
const MAX_SUBTAG_BYTES: usize = 8;

/// Why a text is no language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a language tag such as `en` or `pt-BR`, or empty")]
pub struct LanguageFault;

/// A well-formed language tag (BCP 47), in lower case; empty means the service's own language.
///
/// Only its form is known: letters, digits and hyphens, so that it can also name a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Language(String);

impl Language {
    /// What a service speaks that is told nothing else.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    pub fn parse(text: &str) -> Result<Self, LanguageFault> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let is_subtag = |subtag: &str| {
            (1..=MAX_SUBTAG_BYTES).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let primary = text.split('-').next().unwrap_or_default();
        let begins_well = primary.len() >= 2 && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
        if text.len() > MAX_LANGUAGE_BYTES || !begins_well || !text.split('-').all(is_subtag) {
            return Err(LanguageFault);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without its region or script: what to fall back to.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_kept_in_lower_case() {
        assert_eq!(Language::parse("pt-BR").unwrap().as_str(), "pt-br");
        assert_eq!(Language::parse("pt-BR").unwrap().primary(), "pt");
        assert_eq!(Language::parse("").unwrap(), Language::default());
    }

    #[test]
    fn what_could_climb_out_of_a_folder_or_is_no_tag_is_refused() {
        for text in ["..", "../en", "en/..", "e", "en-", "-en", "en--us", "en_US", "123", "d\u{e9}", "abcdefghi"] {
            assert_eq!(Language::parse(text), Err(LanguageFault), "{text}");
        }
        assert_eq!(Language::parse(&"en-abcdefgh".repeat(4)), Err(LanguageFault));
    }
}
