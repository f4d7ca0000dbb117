//! What administrators do to accounts.

pub mod create;
pub mod create_administrator;
pub mod get;
pub mod list;
mod page;
pub mod require_reset;
pub mod reset_mfa;
pub mod update;

#[cfg(test)]
mod tests;
