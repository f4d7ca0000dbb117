//! Sets a new password with a mailed token and ends every session.

use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::service::error::ServiceResult;

/// Sets a new password with a mailed token and ends every session.
pub struct ConfirmReset {}

/// The token of the mail and the new password.
pub struct ConfirmResetRequest {
    pub reset_token: String,
    pub new_password: Password,
}

impl ConfirmReset {
    pub async fn run(&self, _request: ConfirmResetRequest, _origin: &Origin) -> ServiceResult<()> {
        todo!()
    }
}
