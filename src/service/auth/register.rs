//! Creates an account and, where the address need not be verified first, signs it in.

use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::user::User;
use crate::service::auth::token_set::TokenSet;
use crate::service::error::ServiceResult;

/// Creates an account and, where the address need not be verified first, signs it in.
pub struct Register {}

/// What a new account is made of.
#[derive(Clone, Debug)]
pub struct RegisterRequest {
    pub email: Email,
    pub password: Password,
    pub display_name: Name,
    pub device_name: Name,
}

/// What a registration gave.
#[derive(Clone, Debug)]
pub enum Registered {
    SignedIn {
        user: User,
        token_set: TokenSet,
    },
    /// The address must be verified first: the same answer for a new and for a known one.
    MailSent,
}

impl Register {
    pub async fn run(&self, _request: RegisterRequest, _origin: &Origin) -> ServiceResult<Registered> {
        todo!()
    }
}
