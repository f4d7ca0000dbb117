//! Password hashes of other systems: bcrypt, scrypt, Firebase's scrypt and PBKDF2. They are checked, never made.

use std::num::NonZeroU32;
use std::str::FromStr as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::firebase::Firebase;
use super::phc::{Phc, decimal};

/// 2^14 rounds take about a second; common are 10 to 12.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// Twice the memory of the OWASP cheat sheet's dearest setting (N = 2^17, r = 8).
const SCRYPT_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Memory times lanes, which is the time: about a second.
const SCRYPT_MAX_WORK: u64 = 512 * 1024 * 1024;
/// The OWASP cheat sheet has 1,300,000 at the most.
const PBKDF2_MAX_ROUNDS: u32 = 2_000_000;
/// Shorter outputs could be guessed, longer ones are nobody's.
const OUTPUT_BYTES: std::ops::RangeInclusive<usize> = 16..=128;

/// A hash that is understood, and that is not too dear to check.
pub enum Foreign<'a> {
    Bcrypt(&'a str),
    Scrypt { params: scrypt::Params, hash: Phc<'a> },
    Firebase(Firebase),
    Pbkdf2 { algorithm: pbkdf2::Algorithm, rounds: NonZeroU32, hash: Phc<'a> },
}

impl<'a> Foreign<'a> {
    /// `None`, before any memory is taken, where the text is no hash that is known or one that is too dear to check.
    pub fn parse(stored: &'a str) -> Option<Self> {
        if stored.starts_with("$2") {
            return bcrypt(stored).map(Self::Bcrypt);
        }
        if stored.starts_with(Firebase::PREFIX) {
            return Firebase::parse(stored).map(Self::Firebase);
        }
        let hash = Phc::parse(stored)?;
        if !OUTPUT_BYTES.contains(&hash.output.len()) || hash.version.is_some() {
            return None;
        }
        let algorithm = match hash.name {
            "scrypt" => {
                let (log_n, r, p) = (hash.number("ln")?, hash.number("r")?, hash.number("p")?);
                let params = scrypt_params(log_n, r, p).filter(|_| hash.has_only(&["ln", "r", "p"]))?;
                return Some(Self::Scrypt { params, hash });
            }
            "pbkdf2-sha256" => pbkdf2::PBKDF2_HMAC_SHA256,
            "pbkdf2-sha512" => pbkdf2::PBKDF2_HMAC_SHA512,
            // The second is passlib's name for it.
            "pbkdf2-sha1" | "pbkdf2" => pbkdf2::PBKDF2_HMAC_SHA1,
            _ => return None,
        };
        let named = || hash.number("i").filter(|_| hash.has_only(&["i", "l"]));
        let rounds = hash.bare_number().or_else(named).filter(|&rounds| rounds <= PBKDF2_MAX_ROUNDS)?;
        Some(Self::Pbkdf2 { algorithm, rounds: NonZeroU32::new(rounds)?, hash })
    }

    /// Whether the password matches; `None` where the hash has no answer to this password.
    pub fn matches(&self, password: &[u8]) -> Option<bool> {
        match self {
            Self::Bcrypt(stored) => bcrypt_matches(password, stored),
            Self::Firebase(hash) => hash.matches(password),
            Self::Scrypt { params, hash } => {
                let mut output = Zeroizing::new(vec![0; hash.output.len()]);
                scrypt::scrypt(password, &hash.salt, params, &mut output).ok()?;
                Some(verify_slices_are_equal(&output, &hash.output).is_ok())
            }
            Self::Pbkdf2 { algorithm, rounds, hash } => {
                let mut output = Zeroizing::new(vec![0; hash.output.len()]);
                pbkdf2::derive(*algorithm, *rounds, &hash.salt, password, &mut output);
                Some(verify_slices_are_equal(&output, &hash.output).is_ok())
            }
        }
    }
}

fn bcrypt(stored: &str) -> Option<&str> {
    let (version, rest) = stored.strip_prefix('$')?.split_once('$')?;
    let cost = rest.split_once('$').and_then(|(cost, _)| decimal(cost).filter(|_| cost.len() == 2))?;
    let is_known = matches!(version, "2a" | "2b" | "2y") && bcrypt::HashParts::from_str(stored).is_ok();
    (is_known && BCRYPT_COSTS.contains(&cost)).then_some(stored)
}

/// Only the first 72 bytes ever counted: such is the format, until the next login has renewed the hash. A NUL ends the
/// key and starts it over, so that passwords with one would match others.
fn bcrypt_matches(password: &[u8], stored: &str) -> Option<bool> {
    if password.contains(&0) {
        return None;
    }
    // Compared in constant time by the library.
    bcrypt::verify(password, stored).ok()
}

/// The parameters, if they are sound and ask for neither too much memory nor too much time.
pub fn scrypt_params(log_n: u32, r: u32, p: u32) -> Option<scrypt::Params> {
    // 2^31 is beyond the bound already; the rest cannot overflow.
    let bytes = 1u64.checked_shl(log_n).filter(|_| log_n < 32)?.checked_mul(128)?.checked_mul(u64::from(r))?;
    let is_sound = log_n > 0 && bytes <= SCRYPT_MAX_BYTES && bytes.checked_mul(u64::from(p))? <= SCRYPT_MAX_WORK;
    if !is_sound {
        return None;
    }
    scrypt::Params::new(u8::try_from(log_n).ok()?, r, p).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password_hasher::phc::encode;

    fn is_taken(stored: &str) -> bool {
        Foreign::parse(stored).is_some()
    }

    // promise P4
    #[test]
    fn scrypt_may_take_so_much_memory_and_time_and_no_more() {
        for (log_n, r, p) in [(1, 1, 1), (17, 16, 2), (18, 8, 1), (10, 8, 512)] {
            assert!(scrypt_params(log_n, r, p).is_some(), "{log_n} {r} {p}");
        }
        let dearer =
            [(0, 8, 1), (17, 17, 1), (18, 9, 1), (17, 16, 3), (10, 8, 513), (31, 1, 1), (32, 1, 1), (64, 1, 1)];
        for (log_n, r, p) in dearer {
            assert!(scrypt_params(log_n, r, p).is_none(), "{log_n} {r} {p}");
        }
    }

    // promise P4
    #[test]
    fn pbkdf2_may_take_so_many_rounds_and_no_more() {
        let hash = |rounds: u32, output: usize| format!("$pbkdf2-sha256${rounds}$AAAA${}", encode(&vec![1; output]));
        for (rounds, output) in [(1, 16), (2_000_000, 128)] {
            assert!(is_taken(&hash(rounds, output)), "{rounds} {output}");
        }
        for (rounds, output) in [(0, 16), (2_000_001, 16), (1, 15), (1, 129)] {
            assert!(!is_taken(&hash(rounds, output)), "{rounds} {output}");
        }
    }

    // promise P4
    #[test]
    fn bcrypt_may_cost_so_much_and_no_more() {
        let hash = |cost: &str| format!("$2b${cost}$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy");
        assert_eq!(["04", "14"].map(|cost| is_taken(&hash(cost))), [true; 2]);
        assert_eq!(["03", "15", "4", "004"].map(|cost| is_taken(&hash(cost))), [false; 4]);
    }
}
