//! The roles that there are.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::role::{Role, RoleName};

/// How many roles there are at most, those that are built in among them: they are listed in one answer.
pub const MAX_ROLES: u64 = 1_000;

/// What became of a role that was to be created.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleCreation {
    Created,
    Taken,
    /// There are [`MAX_ROLES`] already: nothing was written.
    TooMany,
}

/// What became of a role that was to go.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleDeletion {
    Deleted,
    Unknown,
    /// Somebody has it: nothing was written.
    InUse,
}

/// The roles that there are. Those that are built in are always among them.
#[async_trait]
pub trait Roles: Send + Sync {
    async fn create(&self, role: &Role, context: &AuditContext) -> StoreResult<RoleCreation>;

    /// Every role, by name.
    async fn list(&self) -> StoreResult<Vec<Role>>;

    /// Deletes a role that is not built in, if nobody has it.
    async fn delete(&self, name: &RoleName, context: &AuditContext) -> StoreResult<RoleDeletion>;
}
