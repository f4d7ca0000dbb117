//! The parts of `AdminService`: each converts in, runs one use case, converts out.

pub mod audit;
pub mod roles;
pub mod service_accounts;
pub mod signing_keys;
pub mod user_identities;
pub mod user_sessions;
pub mod user_transfer;
pub mod users;
