//! Service accounts: machines that exchange a secret for access tokens of their own.

use super::clock::Timestamp;
use super::id::ServiceAccountId;
use super::name::Name;
use super::revocation::Revocation;
use super::role::RoleName;
use super::user::Epoch;

/// The SHA-256 of a secret: all that is stored of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretHash(pub [u8; 32]);

/// A service account, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    pub id: ServiceAccountId,
    pub display_name: Name,
    /// What its tokens may be meant for; at least one.
    pub audiences: Vec<String>,
    /// Sorted.
    pub roles: Vec<RoleName>,
    pub epoch: Epoch,
    pub created_at: Timestamp,
    /// Those that have not expired, the newest first: two during a rotation's overlap.
    pub secrets: Vec<SecretLife>,
}

/// How long a secret is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretLife {
    pub created_at: Timestamp,
    /// `None` for the newest.
    pub expires_at: Option<Timestamp>,
}

impl SecretLife {
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// A service account that is to be created, with its first secret.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    pub id: ServiceAccountId,
    pub display_name: Name,
    pub audiences: Vec<String>,
    pub roles: Vec<RoleName>,
    pub secret: SecretHash,
}

/// A new secret, in the place of those before it.
#[derive(Clone, Copy, Debug)]
pub struct SecretRotation {
    pub account: ServiceAccountId,
    pub secret: SecretHash,
    /// When the one before it stops working, if it has not by then; older ones stop at once.
    pub overlap_ends_at: Timestamp,
}

/// What became of a service account that was to be created.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceAccountCreation {
    Created(ServiceAccount),
    RoleUnknown,
}

/// What became of a service account that was to go.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceAccountDeletion {
    Deleted { revocations: Vec<Revocation> },
    Unknown,
}
