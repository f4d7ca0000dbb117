//! Queues the mail that lets the owner of an address set a new password; the same for every address.

use crate::domain::email::Email;
use crate::domain::origin::Origin;
use crate::service::error::ServiceResult;

/// Queues the mail that lets the owner of an address set a new password; the same for every address.
pub struct RequestReset {}

/// Whose password is to be reset.
pub struct RequestResetRequest {
    pub email: Email,
}

impl RequestReset {
    pub async fn run(&self, _request: RequestResetRequest, _origin: &Origin) -> ServiceResult<()> {
        todo!()
    }
}
