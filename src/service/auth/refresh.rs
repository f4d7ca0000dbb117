//! Exchanges a refresh token for the new tokens of its session.

use crate::domain::origin::Origin;
use crate::service::auth::token_set::TokenSet;
use crate::service::error::ServiceResult;

/// Exchanges a refresh token for the new tokens of its session.
pub struct Refresh {}

/// The refresh token, as it was presented.
pub struct RefreshRequest {
    pub refresh_token: String,
}

impl Refresh {
    pub async fn run(&self, _request: RefreshRequest, _origin: &Origin) -> ServiceResult<TokenSet> {
        todo!()
    }
}
