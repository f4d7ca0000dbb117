//! Signing in through others: a flow begins, comes back, and is ended by who began it.

pub mod arrivals;
pub mod come_back;
pub mod complete;
pub mod redeemer;
mod sealed;
pub mod settings;
pub mod start;
#[cfg(test)]
pub mod testing;
pub mod unlinker;

#[cfg(test)]
mod tests;
