//! Describes one account.

use std::sync::Arc;

use crate::domain::id::UserId;
use crate::domain::ports::Users;
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};

/// Describes one account.
pub struct GetUser {
    pub users: Arc<dyn Users>,
}

impl GetUser {
    pub async fn run(&self, id: UserId) -> ServiceResult<User> {
        self.users.find(id).await?.ok_or(ServiceError::UserUnknown)
    }
}
