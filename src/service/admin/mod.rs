//! What administrators do, and the operator at the command line.

pub mod audit;
pub mod rights;
pub mod roles;
pub mod signing_keys;
