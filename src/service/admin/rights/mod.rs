//! What accounts may do, and whether they are there at all.

mod change;
pub mod delete_user;
pub mod disable_user;
pub mod enable_user;
pub mod grant_role;
pub mod revoke_role;

pub use change::ChangeRights;

#[cfg(test)]
mod tests;
