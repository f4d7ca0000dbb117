//! The use cases of `AccountService`: what users do to their own account. Who that is, the bearer alone says.

pub mod begin_totp_enrollment;
pub mod change_email;
pub mod change_password;
pub mod confirm_totp_enrollment;
pub mod delete_me;
pub mod disable_totp;
pub mod factor_edits;
pub mod get_me;
pub mod link_identity;
pub mod list_identities;
pub mod list_sessions;
mod owner;
pub mod regenerate_recovery_codes;
pub mod revoke_session;
pub mod unlink_identity;
pub mod update_me;

#[cfg(test)]
mod tests;
