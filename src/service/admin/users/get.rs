//! Describes one account.

use std::sync::Arc;

use crate::domain::id::UserId;
use crate::domain::ports::Users;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::describer::{DescribedUser, FactorDescriber};

/// Describes one account.
pub struct GetUser {
    pub users: Arc<dyn Users>,
    pub describer: Arc<FactorDescriber>,
}

impl GetUser {
    pub async fn run(&self, id: UserId) -> ServiceResult<DescribedUser> {
        let user = self.users.find(id).await?.ok_or(ServiceError::UserUnknown)?;
        self.describer.describe(user).await
    }
}
