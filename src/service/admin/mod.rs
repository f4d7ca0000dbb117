//! What administrators do, and the operator at the command line.

pub mod audit;
pub mod rights;
pub mod roles;
pub mod service_accounts;
pub mod signing_keys;
pub mod user_identities;
pub mod user_sessions;
pub mod users;
