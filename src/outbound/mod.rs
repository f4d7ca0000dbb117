//! The outside world that Keystead calls: mail, and providers that people sign in at.
//!
//! Implements ports of the domain. May import `domain`. Must not know a use case, a store or the edge.

pub mod mail;
pub mod oidc;
