//! Whose account it is.

use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::service::error::{ServiceError, ServiceResult};

/// The user who calls. A service account has no account of this kind: access control has refused it before.
pub fn owner(caller: &Caller) -> ServiceResult<UserId> {
    caller.user().ok_or(ServiceError::BearerRequired)
}
