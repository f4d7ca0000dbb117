//! The forms that settings are written in.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::raw::Raw;
use crate::domain::key::SigningAlgorithm;
use crate::domain::language::Language;

/// A type that a setting can have.
pub trait Form: Sized {
    /// What is expected, as the end of "expected …".
    const EXPECTED: &'static str;

    fn parse(text: &str) -> Option<Self>;

    /// As it would be written.
    fn show(&self) -> String;

    fn from_raw(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) => Self::parse(text.trim()),
            Raw::List(_) | Raw::Shapeless => None,
        }
    }
}

macro_rules! from_str_form {
    ($($type:ty: $expected:literal;)*) => {$(
        impl Form for $type {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

from_str_form! {
    bool: "true or false";
    u32: "a whole number";
    u64: "a whole number";
    usize: "a whole number";
    SocketAddr: "an address and a port, like 127.0.0.1:50051 or [::1]:50051";
    IpAddr: "an IP address";
}

impl Form for String {
    const EXPECTED: &'static str = "text";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Form for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::from(text))
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Form for Duration {
    const EXPECTED: &'static str = "a whole number with its unit (ms, s, m, h, d), like 30s";

    fn parse(text: &str) -> Option<Self> {
        let unit_start = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_start);
        let number: u64 = number.parse().ok()?;
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
        number.checked_mul(*millis).map(Self::from_millis)
    }

    fn show(&self) -> String {
        let millis = self.as_millis();
        let (name, unit) =
            UNITS.iter().rev().find(|(_, unit)| millis.is_multiple_of(u128::from(*unit))).unwrap_or(&UNITS[0]);
        if millis == 0 { "0s".to_owned() } else { format!("{}{name}", millis / u128::from(*unit)) }
    }
}

/// Units of time in milliseconds, the smallest first.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Form for SigningAlgorithm {
    const EXPECTED: &'static str = "ES256, EdDSA or RS256";

    fn parse(text: &str) -> Option<Self> {
        [Self::Es256, Self::EdDsa, Self::Rs256].into_iter().find(|algorithm| algorithm.show() == text)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Form for Language {
    const EXPECTED: &'static str = "a language tag such as en or pt-BR";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok().filter(|language| !language.as_str().is_empty())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A list: an array in the file, separated by commas in a variable.
impl<T: Form> Form for Vec<T> {
    const EXPECTED: &'static str = "a list (in a variable separated by commas)";

    fn parse(text: &str) -> Option<Self> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::parse).collect()
    }

    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(",")
    }

    fn from_raw(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) => Self::parse(text),
            Raw::List(items) => items.iter().map(|item| T::parse(item.trim())).collect(),
            Raw::Shapeless => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_with_their_unit() {
        for (text, span) in [
            ("250ms", Duration::from_millis(250)),
            ("30s", Duration::from_secs(30)),
            ("10m", Duration::from_mins(10)),
            ("36h", Duration::from_hours(36)),
            ("14d", Duration::from_hours(14 * 24)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(Duration::parse(text), Some(span), "{text}");
            assert_eq!(span.show(), text);
        }
        for text in ["", "s", "10", "-1s", "1.5h", "10 weeks", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas() {
        assert_eq!(Vec::<String>::parse("a, b,,c ,"), Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
        assert_eq!(Vec::<u32>::parse("1,x"), None);
    }
}
