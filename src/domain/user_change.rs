//! What is done to accounts by others than their owners.

use super::email::Email;
use super::id::UserId;
use super::language::Language;
use super::name::Name;
use super::role::RoleName;
use super::user::User;

/// An account that is to be created without a password, active, with the role `user` and the ones named.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: UserId,
    pub email: Email,
    pub display_name: Name,
    pub language: Language,
    /// The roles beside `user`, each once, sorted.
    pub roles: Vec<RoleName>,
}

/// What became of an invitation.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvitationOutcome {
    Invited(User),
    EmailTaken,
    RoleUnknown,
}

/// The new values of an account's fields; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChange {
    pub display_name: Option<Name>,
    pub language: Option<Language>,
    /// An address that differs is unverified, unless `email_verified` says otherwise.
    pub email: Option<Email>,
    pub email_verified: Option<bool>,
}

/// A change of an account, and the state of it that it was decided on.
#[derive(Clone, Debug)]
pub struct UserUpdate {
    pub id: UserId,
    pub change: UserChange,
    /// The etag that the account must still have; `None`: whatever it has.
    pub etag: Option<String>,
}

/// What became of a change.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The account as it now stands.
    Updated(User),
    Unknown,
    /// The account has changed since the etag was given.
    EtagMismatch,
    EmailTaken,
}
