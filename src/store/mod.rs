//! The stores: implementations of the ports that keep something.
//!
//! May import `domain`. Must not know a use case, a protocol, or how secrets are made; only `app` and tests name them.

pub mod memory;
pub mod redis;
