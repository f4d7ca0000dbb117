//! The audit trail, as administrators read it.

pub mod list;
mod place;
pub mod tail;
pub mod watch;

#[cfg(test)]
mod tests;
