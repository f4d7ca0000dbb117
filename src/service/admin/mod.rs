//! What administrators do, and the operator at the command line.

pub mod signing_keys;
pub mod user_sessions;
