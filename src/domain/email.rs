//! The e-mail address that identifies an account.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::MixedScript as _;

/// The longest address in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const MAX_EMAIL_BYTES: usize = 254;

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
        let (local, domain) = text.rsplit_once('@').ok_or(EmailFault::Malformed)?;
        let local: String = local.nfc().collect();
        check_local_part(&local)?;
        let domain = canonical_domain(domain)?;
        let address = format!("{local}@{domain}");
        if address.len() > MAX_EMAIL_BYTES {
            return Err(EmailFault::TooLong);
        }
        // Lower case can leave the normal form: the key is normalized once more.
        let key = address.to_lowercase().nfc().collect();
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

fn check_local_part(_local: &str) -> Result<(), EmailFault> {
    todo!()
}

fn canonical_domain(_domain: &str) -> Result<String, EmailFault> {
    todo!()
}
