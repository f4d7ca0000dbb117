//! Deletes the caller's account with everything personal in it.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::origin::Origin;
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::error::{ServiceError, ServiceResult};

/// Deletes the caller's account with everything personal in it.
pub struct DeleteMe {
    pub delete: Arc<DeleteUser>,
}

impl DeleteMe {
    /// The last administrator stays. An account that is gone meanwhile has taken its bearers with it.
    pub async fn run(&self, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        match self.delete.delete(owner(caller)?, &caller.initiates(origin)).await {
            Err(ServiceError::UserUnknown) => Err(ServiceError::BearerRequired),
            answer => answer,
        }
    }
}
