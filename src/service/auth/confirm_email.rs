//! Marks an address as verified with a mailed token.

use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::service::error::ServiceResult;

/// Marks an address as verified with a mailed token.
pub struct ConfirmEmail {}

/// The token of the mail.
pub struct ConfirmEmailRequest {
    pub verification_token: String,
}

impl ConfirmEmail {
    pub async fn run(&self, _request: ConfirmEmailRequest, _origin: &Origin) -> ServiceResult<User> {
        todo!()
    }
}
