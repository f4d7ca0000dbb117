//! An account.

use std::fmt;

use super::clock::Timestamp;
use super::email::Email;
use super::id::UserId;
use super::language::Language;
use super::name::Name;

/// The role that every account has from its registration on.
pub const ROLE_USER: &str = "user";

/// The role that AdminService asks for.
pub const ROLE_ADMIN: &str = "admin";

/// The role of those that watch revocations.
pub const ROLE_VERIFIER: &str = "verifier";

/// Whether an account may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    Active,
    Disabled,
}

/// The generation of an account's rights: raised by whatever must end the access tokens already out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub i64);

/// Counts the changes to an account; an update may name the one that it was decided on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub i64);

impl Revision {
    /// The word that callers know it by; opaque to them.
    pub fn etag(self) -> String {
        format!("\"{:x}\"", self.0)
    }

    /// The revision that the word stands for; `None` for a word that was never given out.
    pub fn from_etag(etag: &str) -> Option<Self> {
        let digits = etag.strip_prefix('"')?.strip_suffix('"')?;
        let revision = Self(i64::from_str_radix(digits, 16).ok()?);
        (revision.etag() == etag).then_some(revision)
    }
}

/// An account, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    pub email_verified: bool,
    pub display_name: Name,
    pub state: UserState,
    /// Sorted.
    pub roles: Vec<String>,
    pub epoch: Epoch,
    pub revision: Revision,
    /// The language of the owner's mails.
    pub language: Language,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl User {
    /// Whether the account has roles that not every account has.
    pub fn has_been_given_roles(&self) -> bool {
        self.roles.iter().any(|role| role != ROLE_USER)
    }
}

/// A stored password hash: a PHC string, or an imported one in its own format.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// An account together with what checks its password; `None` where it has no password.
#[derive(Clone, Debug)]
pub struct Account {
    pub user: User,
    pub password_hash: Option<PasswordHash>,
}

impl Account {
    /// The hash that a password is judged against. A disabled account has none, as an unknown one: even a right
    /// password, which would renew an outdated hash, must cost no more than a wrong one.
    pub fn judged_hash(&self) -> Option<PasswordHash> {
        self.password_hash.clone().filter(|_| self.user.state == UserState::Active)
    }
}

/// An account that is to be created, active and with the role [`ROLE_USER`].
#[derive(Clone, Debug)]
pub struct NewUser {
    pub id: UserId,
    pub email: Email,
    pub display_name: Name,
    pub password_hash: PasswordHash,
}

/// What became of a registration.
#[must_use]
#[derive(Clone, Debug)]
pub enum Creation {
    Created(User),
    EmailTaken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_leads_back_to_its_revision() {
        for revision in [0, 1, 255, i64::MAX].map(Revision) {
            assert_eq!(Revision::from_etag(&revision.etag()), Some(revision));
        }
    }

    #[test]
    fn a_word_that_was_never_given_out_is_no_revision() {
        for word in ["", "\"", "\"\"", "1", "\"1", "\"01\"", "\"+1\"", "\"A\"", "\" 1\"", "W/\"1\"", "\"1\"\"1\"", "*"]
        {
            assert_eq!(Revision::from_etag(word), None, "{word}");
        }
    }
}
