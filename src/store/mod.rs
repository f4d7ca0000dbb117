//! The store: the ports of `domain::ports` on databases and caches.
//!
//! Owns rows, statements, connections and their faults. May import `domain`. Must not know the use cases, the protocol
//! or the configuration; only `app` and tests name what is in here.

pub mod db;
