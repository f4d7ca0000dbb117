//! Who somebody is elsewhere: an identity at a provider, and the account that it opens.

use std::fmt;

use super::clock::Timestamp;
use super::email::Email;
use super::id::{IdentityId, SessionId, UserId};
use super::name::Name;
use super::revocation::Revocation;
use super::user::User;

/// The longest name of a provider.
const MAX_PROVIDER_BYTES: usize = 32;
/// The longest issuer.
const MAX_ISSUER_BYTES: usize = 512;
/// The longest subject (OpenID Connect Core 1.0, section 2, `sub`).
const MAX_SUBJECT_BYTES: usize = 255;
/// How many identities an account may have.
pub const MAX_IDENTITIES: u64 = 20;

/// Why a text names no provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 32 lower-case letters and digits, a letter first")]
pub struct ProviderNameFault;

/// The name that the settings give a provider, well-formed; whether there is such a provider is another question. It is
/// part of paths and of variables, and of no identity: whom it names may change, an issuer stays who it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderName(String);

impl ProviderName {
    pub fn parse(text: &str) -> Result<Self, ProviderNameFault> {
        let begins_well = text.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if begins_well && text.len() <= MAX_PROVIDER_BYTES && text.bytes().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProviderNameFault)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a text is no issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 512 visible characters of ASCII")]
pub struct IssuerFault;

/// Who vouches for an identity: the URL that a provider of OpenID Connect names itself by, or where a GitHub is; compared
/// byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Issuer(String);

impl Issuer {
    pub fn parse(text: &str) -> Result<Self, IssuerFault> {
        if !text.is_empty() && text.len() <= MAX_ISSUER_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IssuerFault)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 printable characters of ASCII")]
pub struct SubjectFault;

/// Whom a provider means, in its own words: compared byte by byte, never given to anybody else by the provider.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(String);

impl Subject {
    pub fn parse(text: &str) -> Result<Self, SubjectFault> {
        let is_allowed = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        if !text.is_empty() && text.len() <= MAX_SUBJECT_BYTES && text.bytes().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(SubjectFault)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// An identity: issuer and subject together, and never an address, nor the name that a provider has here (promise O6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    pub issuer: Issuer,
    pub subject: Subject,
}

/// An address as a provider tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvidedEmail {
    pub email: Email,
    /// Whether the provider says, without doubt, that whoever signed in there has it.
    pub verified: bool,
}

/// What a provider says of whoever has just signed in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    pub provider: ProviderName,
    pub identity: Identity,
    /// `None` where it tells none, or none that can be an account's.
    pub email: Option<ProvidedEmail>,
    /// May be empty.
    pub display_name: Name,
}

impl ExternalIdentity {
    /// Whether it tells an address, and vouches for it.
    pub fn is_vouched_for(&self) -> bool {
        self.email.as_ref().is_some_and(|told| told.verified)
    }
}

/// An identity that opens an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIdentity {
    pub id: IdentityId,
    /// The name of the provider when it was linked.
    pub provider: ProviderName,
    pub identity: Identity,
    pub linked_at: Timestamp,
}

/// Somebody who has signed in at a provider, on their way to an account.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub external: ExternalIdentity,
    /// The id of the link, should one be made.
    pub identity_id: IdentityId,
    /// The id of the account, should one be made.
    pub user_id: UserId,
    /// The key of the address's record of failures and of known sources, which an account that is emptied loses.
    pub account_key: [u8; 32],
    /// Whether an account may be made.
    pub may_register: bool,
    /// Until when the revocation of an emptied account's tokens matters.
    pub revocations_expire_at: Timestamp,
}

impl Arrival {
    /// The link that is made of it.
    pub fn link(&self, linked_at: Timestamp) -> LinkedIdentity {
        let ExternalIdentity { provider, identity, .. } = &self.external;
        LinkedIdentity { id: self.identity_id, provider: provider.clone(), identity: identity.clone(), linked_at }
    }
}

/// Whom an arrival belongs to.
#[must_use]
#[derive(Clone, Debug)]
pub enum Adoption {
    /// The account that the identity has opened before, active or not. Nothing was written.
    Known(User),
    /// The account that has the same address, verified on both sides: it is linked now.
    Linked(User),
    /// The account that had the same address without having verified it: whoever made it proved nothing, so that it lost
    /// its password, sessions, mailed tokens and identities, and is linked now.
    Reclaimed { user: User, revocations: Vec<Revocation>, ended: Vec<SessionId> },
    /// A new account, its address verified, without a password.
    Created(User),
    /// The account with the address is closed. Nothing was written, nor by the following.
    Disabled(UserId),
    /// An account has the address, and the provider's word for it is not enough to open it: the provider does not vouch
    /// for the address, the account has been given roles or a second factor, or the identity was taken from it before.
    AccountExists,
    /// Nobody has the address, and the provider does not say that it is verified; or it tells no address.
    EmailNotVerified,
    /// No account may be made.
    RegistrationClosed,
}

/// An identity that its owner adds to their account.
#[derive(Clone, Debug)]
pub struct NewLink {
    pub user_id: UserId,
    /// The session that asks: it must not have ended.
    pub session_id: SessionId,
    pub identity_id: IdentityId,
    pub provider: ProviderName,
    pub identity: Identity,
}

/// What became of a link.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Linking {
    Linked(LinkedIdentity),
    /// It opened the account already: nothing was written, nor by the following.
    Unchanged(LinkedIdentity),
    /// It opens another account.
    Taken,
    /// The account has as many identities as it may have.
    TooMany,
    /// The account's address is not verified: whoever proves to own it later would find the link in place.
    EmailNotVerified,
    /// The user is disabled, or the session has ended.
    Refused,
}

/// An identity that is taken from an account.
#[derive(Clone, Copy, Debug)]
pub struct Unlink {
    pub user_id: UserId,
    /// The owner's session, where the owner asks: it goes on, every other one ends. An administrator takes the last way
    /// to sign in too: a reset by mail gives a new one.
    pub owner_session: Option<SessionId>,
    pub identity_id: IdentityId,
    /// Until when the revocation of the user's tokens matters.
    pub revocations_expire_at: Timestamp,
}

/// What became of it.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unlinking {
    Unlinked {
        provider: ProviderName,
        revocations: Vec<Revocation>,
        ended: Vec<SessionId>,
    },
    /// The account has no such identity: nothing was written, nor by the following.
    Unknown,
    /// Nothing would be left for the owner to sign in with.
    LastSignInMethod,
    /// There is no such user; or the owner asks, who is disabled, or whose session has ended.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_named_by_lower_case_letters_and_digits() {
        for name in ["google", "g", "idp2", &"a".repeat(32)] {
            assert_eq!(ProviderName::parse(name).map(|name| name.to_string()), Ok(name.to_owned()));
        }
        for text in ["", "Google", "2fa", "my-idp", "my_idp", "a/b", "a ", "ä", &"a".repeat(33)] {
            assert_eq!(ProviderName::parse(text), Err(ProviderNameFault), "{text:?}");
        }
    }

    #[test]
    fn a_subject_is_a_short_line_of_ascii_and_is_not_printed() {
        for text in ["1", "auth0|5f7c8ec7", "a b", &"s".repeat(255)] {
            assert_eq!(Subject::parse(text).map(|subject| subject.as_str().to_owned()), Ok(text.to_owned()));
        }
        for text in ["", "é", "a\n", "\0", &"s".repeat(256)] {
            assert_eq!(Subject::parse(text), Err(SubjectFault), "{text:?}");
        }
        assert_eq!(format!("{:?}", Subject::parse("1234").unwrap()), "[redacted]");
    }

    #[test]
    fn an_issuer_is_a_short_word_of_ascii() {
        for text in ["https://idp.example.com", "https://github.com", &"i".repeat(512)] {
            assert_eq!(Issuer::parse(text).map(|issuer| issuer.as_str().to_owned()), Ok(text.to_owned()));
        }
        for text in ["", "https://idp.example.com/a b", "https://\u{e4}.example.com", "a\n", &"i".repeat(513)] {
            assert_eq!(Issuer::parse(text), Err(IssuerFault), "{text:?}");
        }
    }

    // promise O6
    #[test]
    fn subjects_are_compared_byte_by_byte() {
        assert_ne!(Subject::parse("Ada"), Subject::parse("ada"));
    }
}
