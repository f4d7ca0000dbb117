//! Opens a closed account again; tokens from before stay refused.

use std::sync::Arc;

use super::ChangeRights;
use crate::domain::caller::Initiator;
use crate::domain::id::UserId;
use crate::domain::rights::RightsChange;
use crate::domain::user::User;
use crate::service::error::ServiceResult;

/// Opens a closed account again; tokens from before stay refused.
pub struct EnableUser {
    pub change: Arc<ChangeRights>,
}

impl EnableUser {
    pub async fn run(&self, user: UserId, by: &Initiator) -> ServiceResult<User> {
        self.change.run(user, RightsChange::Enable, by).await
    }
}
