//! What administrators do to the identities that open accounts.

pub mod list;
pub mod unlink;

#[cfg(test)]
mod tests;
