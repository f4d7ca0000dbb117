//! The use cases of `AuthService`, but for the verification of tokens, which is in `token`.

pub mod begin_mfa_enrollment;
pub mod challenge_reader;
pub mod complete_mfa;
pub mod confirm_email;
pub mod confirm_email_change;
pub mod confirm_mfa_enrollment;
pub mod confirm_reset;
pub mod login;
pub mod logout;
mod presented_token;
pub mod refresh;
mod refusals;
pub mod register;
pub mod request_email_verification;
pub mod request_reset;
pub mod secret_guard;
mod secret_keys;
pub mod session_ender;
pub mod session_opener;
pub mod settings;
pub mod sign_in;
pub mod token_issuer;
pub mod token_set;
