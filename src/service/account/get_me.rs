//! Describes the caller's account.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::ports::Users;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::describer::{DescribedUser, FactorDescriber};

/// Describes the caller's account.
pub struct GetMe {
    pub users: Arc<dyn Users>,
    pub describer: Arc<FactorDescriber>,
}

impl GetMe {
    /// An account that is gone meanwhile has taken its bearers with it.
    pub async fn run(&self, caller: &Caller) -> ServiceResult<DescribedUser> {
        let user = self.users.find(owner(caller)?).await?.ok_or(ServiceError::BearerRequired)?;
        self.describer.describe(user).await
    }
}
