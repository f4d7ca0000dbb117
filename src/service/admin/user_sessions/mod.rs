//! What administrators do to the sessions of accounts.

pub mod list;
pub mod revoke;

#[cfg(test)]
mod tests;
