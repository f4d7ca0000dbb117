//! The use cases that judge access tokens, and what they judge by.

pub mod jwks;
pub mod revocation_state;
pub mod verify;
