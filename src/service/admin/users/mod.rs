//! What administrators do to accounts.

pub mod create;
pub mod create_administrator;
pub mod export;
pub mod get;
pub mod import;
pub mod list;
mod page;
pub mod require_reset;
pub mod reset_mfa;
pub mod update;
pub mod user_row;

#[cfg(test)]
mod tests;
