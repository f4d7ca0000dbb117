//! The ports on SQL: one implementation for SQLite and PostgreSQL.
//!
//! Each port method is one atomic operation that runs under a deadline and is repeated when it loses to a concurrent
//! one. Locks are taken in one order everywhere: the user's row, then its sessions and tokens.

mod attempts;
mod audit;
mod audit_trail;
mod connect;
mod database;
mod doubt;
mod email_changes;
mod entity;
mod fault;
mod identities;
mod inspect;
mod keys;
#[path = "../../../migrations/mod.rs"]
mod migrations;
mod oauth_flows;
mod one_time_tokens;
mod outbox;
mod passwords;
mod principals;
mod profiles;
mod retention;
mod revocations;
mod rights;
mod roles;
mod schema;
mod second_factors;
mod service_accounts;
mod sessions;
mod settings;
mod user_directory;
mod user_transfer;
mod users;
mod words;

#[cfg(test)]
mod tests;

pub use database::Database;
pub use fault::NO_CONNECTION;
pub use inspect::{Inspection, Unreachable};
pub use schema::SchemaState;
pub use settings::{DatabaseUrl, Settings};
