//! Messages become words of the domain, every fault of a message told at once; and words become messages.
//!
//! No rule is decided here: types of the domain judge what they can be made of.

pub mod admin_users;
pub mod audit;
pub mod claims;
pub mod credentials;
pub mod ext_authz;
pub mod identities;
pub mod ids;
pub mod keys;
pub mod mask;
pub mod pages;
pub mod profile;
pub mod revocations;
pub mod roles;
pub mod second_factor;
pub mod service_accounts;
pub mod sessions;
pub mod signing_keys;
pub mod time;
pub mod tokens;
pub mod user;
pub mod user_transfer;
pub mod verification;
pub mod violations;
