//! Closes an account: its sessions end and its tokens are refused.

use std::sync::Arc;

use super::ChangeRights;
use crate::domain::caller::Initiator;
use crate::domain::id::UserId;
use crate::domain::rights::RightsChange;
use crate::domain::user::User;
use crate::service::error::ServiceResult;

/// Closes an account: its sessions end and its tokens are refused.
pub struct DisableUser {
    pub change: Arc<ChangeRights>,
}

impl DisableUser {
    pub async fn run(&self, user: UserId, by: &Initiator) -> ServiceResult<User> {
        self.change.run(user, RightsChange::Disable, by).await
    }
}
