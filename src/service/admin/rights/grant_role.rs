//! Gives a role to a user.

use std::sync::Arc;

use super::ChangeRights;
use crate::domain::caller::Initiator;
use crate::domain::id::UserId;
use crate::domain::rights::RightsChange;
use crate::domain::role::RoleName;
use crate::domain::user::User;
use crate::service::error::ServiceResult;

/// Gives a role to a user: tokens already out are refused, the next refresh carries the role.
pub struct GrantRole {
    pub change: Arc<ChangeRights>,
}

impl GrantRole {
    pub async fn run(&self, user: UserId, role: RoleName, by: &Initiator) -> ServiceResult<User> {
        self.change.run(user, RightsChange::Grant(role), by).await
    }
}
