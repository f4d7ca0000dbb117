//! Queues the mail that verifies an address; the same for every address.

use crate::domain::email::Email;
use crate::domain::origin::Origin;
use crate::service::error::ServiceResult;

/// Queues the mail that verifies an address; the same for every address.
pub struct RequestEmailVerification {}

/// Which address is to be verified.
pub struct RequestEmailVerificationRequest {
    pub email: Email,
}

impl RequestEmailVerification {
    pub async fn run(&self, _request: RequestEmailVerificationRequest, _origin: &Origin) -> ServiceResult<()> {
        todo!()
    }
}
