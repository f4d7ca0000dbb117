//! The roles that there are.

pub mod create;
pub mod delete;
pub mod list;
