//! How an address begins: what lists of accounts are searched by.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

use super::email::{EmailFault, MAX_EMAIL_BYTES, fold, is_invisible};

/// The beginning of an address, in the form of [`Email::key`](super::email::Email::key): every address whose key begins
/// with it is meant. Empty means every address.
///
/// A domain label that is not ASCII counts as a whole, since the A-label of a part is no part of the A-label.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EmailPrefix(String);

impl EmailPrefix {
    pub fn parse(text: &str) -> Result<Self, EmailFault> {
        if text.len() > MAX_EMAIL_BYTES {
            return Err(EmailFault::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(EmailFault::Deceptive);
        }
        let Some((local, domain)) = text.split_once('@') else {
            return Ok(Self(fold(&text.nfc().collect::<String>())));
        };
        let local: String = local.nfc().collect();
        Ok(Self(fold(&format!("{local}@{}", ascii_domain(domain)?))))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The least text that is greater than every text with this prefix; `None` where there is none.
    ///
    /// By the order of code points, which is that of UTF-8's bytes, and so that of every store.
    pub fn successor(&self) -> Option<String> {
        let mut text = self.0.clone();
        while let Some(last) = text.pop() {
            // A range of characters leaves the surrogates out.
            if let Some(next) = (last..=char::MAX).nth(1) {
                text.push(next);
                return Some(text);
            }
        }
        None
    }
}

impl fmt::Debug for EmailPrefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Looser than for an address, which has to be whole: a label may end in a hyphen, and be empty.
fn ascii_domain(domain: &str) -> Result<String, EmailFault> {
    if domain.is_ascii() {
        return Ok(domain.to_owned());
    }
    Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Ignore)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| EmailFault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::email::Email;

    fn prefix(text: &str) -> EmailPrefix {
        EmailPrefix::parse(text).unwrap()
    }

    /// As the stores compare.
    fn chooses(text: &str, address: &str) -> bool {
        let (prefix, email) = (prefix(text), Email::parse(address).unwrap());
        let is_below = prefix.successor().is_none_or(|successor| email.key() < successor.as_str());
        let is_within = prefix.as_str() <= email.key() && is_below;
        assert_eq!(is_within, email.key().starts_with(prefix.as_str()), "{text} {address}");
        is_within
    }

    // promise L5
    #[test]
    fn a_prefix_is_compared_in_the_canonical_form() {
        for (text, address) in [
            ("", "ada@example.com"),
            ("ADA", "ada@example.com"),
            ("ada@EX", "Ada@example.com"),
            ("stra\u{df}e", "STRASSE@example.com"),
            ("jose\u{301}", "Jos\u{e9}@example.com"),
            ("ada@m\u{fc}nchen", "ada@m\u{fc}nchen.de"),
            ("ada@m\u{fc}nchen.d", "ada@xn--mnchen-3ya.de"),
            ("ada@xn--mn", "ada@m\u{fc}nchen.de"),
            ("100%", "100%_off@example.com"),
            ("a_", "a_b@example.com"),
        ] {
            assert!(chooses(text, address), "{text} {address}");
        }
        for (text, address) in [
            ("b", "ada@example.com"),
            ("ada@m\u{fc}n", "ada@m\u{fc}nchen.de"),
            ("%", "ada@example.com"),
            ("a_a", "ada@example.com"),
            ("ad\\", "ada@example.com"),
        ] {
            assert!(!chooses(text, address), "{text} {address}");
        }
    }

    #[test]
    fn the_successor_is_the_next_text_without_the_prefix() {
        for (text, successor) in [
            ("", None),
            ("a", Some("b")),
            ("ad", Some("ae")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(EmailPrefix(text.to_owned()).successor().as_deref(), successor, "{text}");
        }
    }

    // promise A6
    #[test]
    fn a_prefix_is_bounded_and_has_nothing_that_no_address_has() {
        assert!(EmailPrefix::parse(&"a".repeat(MAX_EMAIL_BYTES)).is_ok());
        assert_eq!(EmailPrefix::parse(&"a".repeat(MAX_EMAIL_BYTES + 1)), Err(EmailFault::TooLong));
        for text in ["a\0", "a\n", "a\u{200b}", "\u{202e}a"] {
            assert_eq!(EmailPrefix::parse(text), Err(EmailFault::Deceptive), "{text:?}");
        }
        assert_eq!(EmailPrefix::parse("ada@\u{fc} \u{fc}"), Err(EmailFault::Malformed));
    }
}
