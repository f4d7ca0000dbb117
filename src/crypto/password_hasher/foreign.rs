//! Password hashes of other systems: bcrypt, scrypt and PBKDF2. They are checked, never made.

use std::num::NonZeroU32;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::phc::Phc;

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

/// Whether the password matches; `None`, before any memory is taken, where the text is no hash that is known or one
/// that is too dear to check.
pub fn matches(password: &[u8], stored: &str) -> Option<bool> {
    if stored.starts_with("$2") {
        return bcrypt_matches(password, stored);
    }
    let phc = Phc::parse(stored)?;
    if !OUTPUT_BYTES.contains(&phc.output.len()) || phc.version.is_some() {
        return None;
    }
    let mut output = Zeroizing::new(vec![0; phc.output.len()]);
    match phc.name {
        "scrypt" => scrypt_output(password, &phc, &mut output)?,
        "pbkdf2-sha256" => pbkdf2_output(pbkdf2::PBKDF2_HMAC_SHA256, password, &phc, &mut output)?,
        "pbkdf2-sha512" => pbkdf2_output(pbkdf2::PBKDF2_HMAC_SHA512, password, &phc, &mut output)?,
        // The second is passlib's name for it.
        "pbkdf2-sha1" | "pbkdf2" => pbkdf2_output(pbkdf2::PBKDF2_HMAC_SHA1, password, &phc, &mut output)?,
        _ => return None,
    }
    Some(verify_slices_are_equal(&output, &phc.output).is_ok())
}

/// Only the first 72 bytes ever counted: such is the format, until the next login has renewed the hash. A NUL ends the
/// key and starts it over, so that passwords with one would match others.
fn bcrypt_matches(password: &[u8], stored: &str) -> Option<bool> {
    let (version, rest) = stored.strip_prefix('$')?.split_once('$')?;
    let (cost, _) = rest.split_once('$')?;
    let is_known = matches!(version, "2a" | "2b" | "2y");
    if !is_known || !BCRYPT_COSTS.contains(&cost.parse().ok()?) || password.contains(&0) {
        return None;
    }
    // Compared in constant time by the library.
    bcrypt::verify(password, stored).ok()
}

fn scrypt_output(password: &[u8], phc: &Phc<'_>, output: &mut [u8]) -> Option<()> {
    let (log_n, r, p) = (phc.number("ln")?, phc.number("r")?, phc.number("p")?);
    // 2^31 is beyond the bound already; the rest cannot overflow.
    let bytes = 1u64.checked_shl(log_n).filter(|_| log_n < 32)?.checked_mul(128)?.checked_mul(u64::from(r))?;
    let is_sound = phc.has_only(&["ln", "r", "p"])
        && log_n > 0
        && bytes <= SCRYPT_MAX_BYTES
        && bytes.checked_mul(u64::from(p))? <= SCRYPT_MAX_WORK;
    if !is_sound {
        return None;
    }
    let params = scrypt::Params::new(u8::try_from(log_n).ok()?, r, p).ok()?;
    scrypt::scrypt(password, &phc.salt, &params, output).ok()
}

fn pbkdf2_output(algorithm: pbkdf2::Algorithm, password: &[u8], phc: &Phc<'_>, output: &mut [u8]) -> Option<()> {
    let named = || phc.number("i").filter(|_| phc.has_only(&["i", "l"]));
    let rounds = phc.bare_number().or_else(named).filter(|&rounds| rounds <= PBKDF2_MAX_ROUNDS)?;
    pbkdf2::derive(algorithm, NonZeroU32::new(rounds)?, &phc.salt, password, output);
    Some(())
}
