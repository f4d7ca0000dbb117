//! The use cases of `AuthService`, but for the verification of tokens, which is in `token`.

pub mod confirm_email;
pub mod confirm_reset;
pub mod login;
pub mod logout;
pub mod refresh;
pub mod register;
pub mod request_email_verification;
pub mod request_reset;
pub mod token_set;
