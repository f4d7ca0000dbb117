//! Lists the identities that open an account.

use std::sync::Arc;

use crate::domain::id::UserId;
use crate::domain::identity::LinkedIdentity;
use crate::domain::ports::Users;
use crate::domain::ports::identities::Identities;
use crate::service::error::{ServiceError, ServiceResult};

/// Lists the identities that open an account.
pub struct ListUserIdentities {
    pub users: Arc<dyn Users>,
    pub identities: Arc<dyn Identities>,
}

impl ListUserIdentities {
    /// The oldest first.
    pub async fn run(&self, user: UserId) -> ServiceResult<Vec<LinkedIdentity>> {
        self.users.find(user).await?.ok_or(ServiceError::UserUnknown)?;
        Ok(self.identities.list(user).await?)
    }
}
