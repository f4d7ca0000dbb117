//! The e-mail address that identifies an account.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::{GeneralSecurityProfile as _, RestrictionLevel, RestrictionLevelDetection as _};

/// The longest address in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;

/// The longest local part in bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_PART_BYTES: usize = 64;

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailFault {
    #[error("must be an e-mail address")]
    Malformed,
    #[error("must have at most {MAX_EMAIL_BYTES} bytes")]
    TooLong,
    #[error("must not contain invisible characters or mix scripts")]
    Deceptive,
}

/// An address: the local part as given, the domain in lower-case ASCII (IDNA, UTS #46).
///
/// Accepted are dot-atoms at domains that have a dot (RFC 5321, section 4.1.2, with RFC 6531's Unicode). Refused are
/// quoted local parts, IP addresses and single-label domains, since mail that proves ownership must reach the same
/// mailbox from everywhere; and, by the e-mail security profile of UTS #39 (section 3.3.1, "highly restrictive"), what
/// looks like another address. A name wholly in one script, such as Cyrillic, is a name and not a deception.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email {
    address: String,
    key: String,
}

impl Email {
    pub fn parse(text: &str) -> Result<Self, EmailFault> {
        if text.len() > MAX_EMAIL_BYTES {
            return Err(EmailFault::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(EmailFault::Deceptive);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailFault::Malformed)?;
        let local: String = local.nfc().collect();
        check_local_part(&local)?;
        let domain = canonical_domain(domain)?;
        let address = format!("{local}@{domain}");
        if address.len() > MAX_EMAIL_BYTES {
            return Err(EmailFault::TooLong);
        }
        let key = fold(&address);
        Ok(Self { address, key })
    }

    /// The address as mail is sent to it.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// The one form that look-ups, limits and uniqueness go by: two addresses are the same if their keys are.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(local, _)| local)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Upper case first: letters that share a capital (final sigma, dotless i) are then one letter, wherever they stand.
/// The change of case can leave the normal form, so the result is normalized once more.
pub(super) fn fold(address: &str) -> String {
    address.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// The joiners are not among the default ignorables of UTS #39, but nobody sees them either.
pub(super) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200c}' | '\u{200d}')
        || character.identifier_type() == Some(IdentifierType::Default_Ignorable)
}

fn check_local_part(local: &str) -> Result<(), EmailFault> {
    let is_dot_atom = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_character));
    if !is_dot_atom || local.len() > MAX_LOCAL_PART_BYTES {
        return Err(EmailFault::Malformed);
    }
    // Ligatures, full-width and styled letters look like the letters that they decompose to.
    if local.nfkc().ne(local.chars()) {
        return Err(EmailFault::Deceptive);
    }
    check_scripts(local)
}

/// `atext` of RFC 5322, section 3.2.3, and the Unicode that RFC 6531, section 3.3 adds.
fn is_atom_character(character: char) -> bool {
    !character.is_ascii() || character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character)
}

fn canonical_domain(domain: &str) -> Result<String, EmailFault> {
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| EmailFault::Malformed)?;
    let (_, top) = ascii.rsplit_once('.').ok_or(EmailFault::Malformed)?;
    // No top-level domain is a number: this is an IPv4 address.
    if top.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EmailFault::Malformed);
    }
    let (unicode, _) = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    unicode.split('.').try_for_each(check_scripts)?;
    Ok(ascii.into_owned())
}

/// ASCII punctuation belongs to every script, but UTS #39 does not allow most of it in identifiers.
fn check_scripts(text: &str) -> Result<(), EmailFault> {
    let letters: String = text.chars().filter(|c| !c.is_ascii() || c.is_ascii_alphanumeric()).collect();
    if letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Ok(());
    }
    Err(EmailFault::Deceptive)
}

#[cfg(test)]
mod tests;
