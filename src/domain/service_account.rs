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
    /// Those that have not expired, the newest first: more than one during a rotation's overlap.
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

/// How many secrets an account has at once at most. More than two: an answer may be lost, and who then asks for another
/// secret must not take the one away that the machines still use.
pub const MAX_SECRETS: u64 = 10;

/// A new secret, in the place of those before it.
#[derive(Clone, Copy, Debug)]
pub struct SecretRotation {
    pub account: ServiceAccountId,
    pub secret: SecretHash,
    /// When those before it stop working, if they have not by then. Where that is at once, the access tokens that they
    /// were exchanged for are revoked too: who wants no overlap wants somebody out.
    pub overlap_ends_at: Timestamp,
    /// Until when the revocation of those tokens matters.
    pub revocations_expire_at: Timestamp,
}

/// What became of a rotation.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRotationOutcome {
    /// The account as it now stands, and what was revoked with its secrets.
    Rotated {
        account: ServiceAccount,
        revocations: Vec<Revocation>,
    },
    /// The account has [`MAX_SECRETS`] already: nothing was written.
    TooManySecrets,
    Unknown,
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
