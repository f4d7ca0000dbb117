//! Ends sessions; a token that opens nothing is as good as logged out (RFC 7009, section 2.2).

use crate::domain::origin::Origin;
use crate::domain::session::EndScope;
use crate::service::error::ServiceResult;

/// Ends sessions; a token that opens nothing is as good as logged out (RFC 7009, section 2.2).
pub struct Logout {}

/// The refresh token of the session that asks, and which sessions end.
pub struct LogoutRequest {
    pub refresh_token: String,
    pub scope: EndScope,
}

impl Logout {
    pub async fn run(&self, _request: LogoutRequest, _origin: &Origin) -> ServiceResult<()> {
        todo!()
    }
}
