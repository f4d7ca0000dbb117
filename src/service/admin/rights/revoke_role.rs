//! Takes a role from a user.

use std::sync::Arc;

use super::ChangeRights;
use crate::domain::caller::Initiator;
use crate::domain::id::UserId;
use crate::domain::rights::RightsChange;
use crate::domain::role::RoleName;
use crate::domain::user::{ROLE_USER, User};
use crate::service::error::{ServiceError, ServiceResult};

/// Takes a role from a user: tokens already out are refused, the next refresh lacks the role.
pub struct RevokeRole {
    pub change: Arc<ChangeRights>,
}

impl RevokeRole {
    pub async fn run(&self, user: UserId, role: RoleName, by: &Initiator) -> ServiceResult<User> {
        // It belongs to every account.
        if role.as_str() == ROLE_USER {
            return Err(ServiceError::RoleBuiltIn);
        }
        self.change.run(user, RightsChange::Revoke(role), by).await
    }
}
