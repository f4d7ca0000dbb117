//! Exchanges address and password for the tokens of a session.

use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::service::auth::token_set::TokenSet;
use crate::service::error::ServiceResult;

/// Exchanges address and password for the tokens of a session.
pub struct Login {}

/// Address and password, and what the session is for.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    pub email: Email,
    pub password: Password,
    /// Empty means the default list.
    pub audience: String,
    pub device_name: Name,
}

impl Login {
    pub async fn run(&self, _request: LoginRequest, _origin: &Origin) -> ServiceResult<TokenSet> {
        todo!()
    }
}
