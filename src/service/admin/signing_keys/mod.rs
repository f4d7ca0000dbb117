//! The signing keys, as administrators see and change them.

pub mod list;
pub mod revoke;
pub mod rotate;
mod told;

#[cfg(test)]
mod tests;
