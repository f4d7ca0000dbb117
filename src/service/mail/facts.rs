//! What a mail tells besides its words, each value made harmless before it meets a template.

use minijinja::value::Value;
use minijinja::{HtmlEscape, context};
use time::OffsetDateTime;
use time::macros::format_description;
use unicode_normalization::char::is_combining_mark;

use super::template_file::Part;
use crate::domain::clock::Timestamp;

/// A link that holds a token.
#[derive(Clone, Debug)]
pub struct Link {
    pub url: String,
    /// When the token stops working.
    pub expires_at: Timestamp,
    /// For how long it works, in whole minutes.
    pub minutes: u64,
}

/// What a mail tells.
#[derive(Clone, Debug)]
pub struct Facts {
    pub product: String,
    /// When what it tells of happened.
    pub at: Timestamp,
    /// Where it was caused from; may be empty.
    pub source: String,
    /// The device that it tells of, as whoever signed in has named it; may be empty.
    pub device: String,
    pub link: Option<Link>,
}

/// The names that every template may use.
pub const COMMON: [&str; 4] = ["product", "when", "source", "device"];
/// The names that templates of mails with a token may use besides.
pub const OF_A_LINK: [&str; 3] = ["link", "expiry", "minutes"];

impl Facts {
    /// The values for a part, by their names; without a link its names are undefined.
    pub fn values(&self, part: Part) -> Value {
        let (product, when) = (one_line(&self.product), in_words(self.at));
        let common = context! { product, when, source => self.source.clone(), device => harmless(&self.device) };
        match &self.link {
            None => common,
            Some(link) => context! {
                link => url(&link.url, part),
                expiry => in_words(link.expires_at),
                minutes => link.minutes,
                ..common
            },
        }
    }
}

/// In HTML the engine would escape the slashes too: right, but nobody could read the link in the source.
fn url(url: &str, part: Part) -> Value {
    match part {
        Part::Html => Value::from_safe_string(HtmlEscape(url).to_string().replace("&#x2f;", "/")),
        Part::Subject | Part::Text => Value::from(url),
    }
}

/// Cut to the minute, so that it never promises more than there is. The same in every language (ISO 8601, with blanks).
fn in_words(moment: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let moment = OffsetDateTime::from_unix_timestamp(moment.as_seconds()).ok();
    moment.and_then(|moment| moment.format(format).ok()).unwrap_or_default()
}

pub fn one_line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if is_break(c) { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// Whoever has a password can write into the owner's mail by the name of a device. Left of it are words and numbers:
/// nothing that a mail program makes a link of, that reorders text, or that is markup.
fn harmless(name: &str) -> String {
    let signs: Vec<char> = name.chars().collect();
    let is_digit = |index: Option<usize>| index.and_then(|index| signs.get(index)).is_some_and(char::is_ascii_digit);
    let is_kept = |(index, sign): (usize, &char)| {
        sign.is_alphanumeric()
            || is_combining_mark(*sign)
            || " -_'()+,".contains(*sign)
            || (*sign == '.' && is_digit(index.checked_sub(1)) && is_digit(index.checked_add(1)))
    };
    let kept: String = signs.iter().enumerate().map(|(i, c)| if is_kept((i, c)) { *c } else { ' ' }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_keeps_its_words_and_numbers() {
        for name in ["Ada's phone", "Firefox 128.0 (Linux)", "Büro-Rechner", "फ़ोन", "机器 2"] {
            assert_eq!(harmless(name), name.to_owned(), "{name}");
        }
    }

    #[test]
    fn nothing_in_a_device_becomes_a_link_markup_or_a_trick_of_direction() {
        for (name, left) in [
            ("call https://evil.example/x?y=1#z now", "call https evil example x y 1 z now"),
            ("www.evil.example", "www evil example"),
            ("admin@evil.example", "admin evil example"),
            ("<script>alert(1)</script>", "script alert(1) script"),
            ("a\u{202e}b\u{2066}c\u{200f}d", "a b c d"),
            ("line\r\nBcc: x\u{2028}y\u{85}z", "line Bcc x y z"),
        ] {
            assert_eq!(harmless(name), left);
        }
    }

    #[test]
    fn a_moment_is_cut_to_the_minute() {
        assert_eq!(in_words(Timestamp::from_millis(1_700_000_059_999)), "2023-11-14 22:14 UTC");
    }
}
