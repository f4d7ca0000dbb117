//! The stores: where state lives.
//!
//! Implements ports of the domain. May import `domain`. Must not know a use case, a protocol or the outside world.

pub mod redis;
