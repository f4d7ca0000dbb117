//! Lists of accounts: which, in what order, and from where on.

use super::clock::Timestamp;
use super::email_prefix::EmailPrefix;
use super::id::UserId;
use super::role::RoleName;
use super::user::{User, UserState};

/// Chooses accounts; what is unset chooses all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    pub email_prefix: EmailPrefix,
    /// A role that the account has.
    pub role: Option<RoleName>,
    pub state: Option<UserState>,
    /// The account was created then or later.
    pub created_from: Option<Timestamp>,
    /// The account was created before.
    pub created_until: Option<Timestamp>,
}

/// How a list is ordered; never are two accounts alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserOrder {
    /// By time of creation, then by id.
    #[default]
    Created,
    CreatedDescending,
    /// By the key of the address, byte by byte.
    Email,
    EmailDescending,
}

/// The place of an account in a list of any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPosition {
    pub created_at: Timestamp,
    pub id: UserId,
    /// The key of the address.
    pub email_key: String,
}

impl UserPosition {
    pub fn of(user: &User) -> Self {
        Self { created_at: user.created_at, id: user.id, email_key: user.email.key().to_owned() }
    }
}

/// A part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserQuery {
    pub filter: UserFilter,
    pub order: UserOrder,
    /// The last account that was given; `None` begins the list.
    pub after: Option<UserPosition>,
    /// How many accounts are given at most.
    pub limit: u32,
}
