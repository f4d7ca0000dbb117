//! The outside world that Keystead calls: mail.
//!
//! Implements ports of the domain. May import `domain`. Must not know a use case, a store or the edge.

pub mod mail;
