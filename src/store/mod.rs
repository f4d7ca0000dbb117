//! The stores: the ports of `domain::ports` on databases, caches and plain memory.
//!
//! Owns rows, statements, connections and their faults. May import `domain`. Must not know a use case, a protocol, or
//! how secrets are made; only `app` and tests name what is in here.

pub mod db;
pub mod memory;
pub mod redis;
