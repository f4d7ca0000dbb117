//! The PHC string format: `$name[$v=19][$parameters]$salt$output`, as far as password hashes use it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The longest hash that is looked at, in bytes.
const MAX_BYTES: usize = 512;

/// A hash, taken apart. Nothing in it is yet known to be sound.
pub struct Phc<'a> {
    pub name: &'a str,
    pub version: Option<u32>,
    parameters: &'a str,
    pub salt: Vec<u8>,
    pub output: Vec<u8>,
}

impl<'a> Phc<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let mut fields: Vec<&str> = text.strip_prefix('$')?.split('$').collect();
        let output = decode(fields.pop()?)?;
        let salt = decode(fields.pop()?)?;
        let mut fields = fields.into_iter();
        let name = fields.next()?;
        let mut next = fields.next();
        let version = match next.and_then(|field| field.strip_prefix("v=")) {
            Some(version) => {
                next = fields.next();
                Some(decimal(version)?)
            }
            None => None,
        };
        if fields.next().is_some() {
            return None;
        }
        Some(Self { name, version, parameters: next?, salt, output })
    }

    /// A parameter's text; `None` where it is missing.
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// A parameter that is a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        decimal(self.parameter(name)?)
    }

    /// The parameters where they are one number without a name, as passlib writes PBKDF2.
    pub fn bare_number(&self) -> Option<u32> {
        decimal(self.parameters)
    }

    /// Whether it has no parameters but these, and none twice: what is not understood is not checked either.
    pub fn has_only(&self, names: &[&str]) -> bool {
        let mut left = names.to_vec();
        self.parameters.split(',').all(|pair| {
            let place = pair.split_once('=').and_then(|(name, _)| left.iter().position(|known| *known == name));
            place.map(|place| left.swap_remove(place)).is_some()
        })
    }
}

/// A number in digits alone: what the library parses has a sign too.
pub fn decimal(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Base64 without padding; passlib writes `.` for `+`.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.replace('.', "+")).ok()
}

pub fn encode(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_its_greatest_length() {
        let longest = |name: usize| format!("${}$m=1$AAAA${}", "n".repeat(name), "A".repeat(480));
        let name = MAX_BYTES - longest(0).len();
        assert_eq!(longest(name).len(), MAX_BYTES);
        assert!(Phc::parse(&longest(name)).is_some());
        assert!(Phc::parse(&longest(name + 1)).is_none());
    }
}
