//! What is done to accounts by others than their owners.

use super::email::Email;
use super::id::UserId;
use super::language::Language;
use super::name::Name;
use super::ports::profiles::ProfileChange;
use super::role::RoleName;
use super::user::{PasswordHash, Revision, User};

/// How many roles an account has at most: names of the longest fit into an access token, which is bounded.
pub const MAX_ROLES: usize = 64;

/// An account that is to be created by others than its owner, active, with the role `user` and the ones named.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: UserId,
    pub email: Email,
    pub display_name: Name,
    pub language: Language,
    /// The roles beside `user`, each once, sorted.
    pub roles: Vec<RoleName>,
    /// `None`: the owner sets a password by the link that is mailed. `Some`: the operator has set it for them and vouches
    /// for the address, which counts as verified; nothing is mailed.
    pub password_hash: Option<PasswordHash>,
}

/// What became of an invitation.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvitationOutcome {
    Invited(User),
    EmailTaken,
    RoleUnknown,
}

/// A change of an account, and the state of it that it was decided on.
#[derive(Clone, Debug)]
pub struct UserUpdate {
    pub id: UserId,
    pub profile: ProfileChange,
    /// A new address is unverified, unless the profile says otherwise; the one that the account has changes nothing.
    pub email: Option<Email>,
    /// The revision that the account must still be at; `None`: whatever it is at.
    pub expected: Option<Revision>,
}

impl UserUpdate {
    /// The fields that it touches, as an audit event tells them; never their values.
    pub fn fields(&self) -> String {
        let profile = self.profile.fields();
        match (&self.email, profile.is_empty()) {
            (None, _) => profile,
            (Some(_), true) => "email".to_owned(),
            (Some(_), false) => format!("{profile},email"),
        }
    }
}

/// What became of a change.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateOutcome {
    /// The account as it now stands.
    Updated(User),
    /// The account is no longer at the revision that was expected: nothing was written.
    Moved,
    /// Nothing was written but the event of it.
    EmailTaken,
    /// No account has the id.
    Unknown,
}
