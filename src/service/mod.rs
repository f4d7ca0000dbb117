//! The use cases: every decision of Keystead. A file is one use case, a struct of its needs with one `run`.
//!
//! May import `crypto`, `domain` and the verifier crate. Must not know a protocol, a status code or a database.

pub mod access;
pub mod account;
pub mod admin;
pub mod auth;
pub mod error;
pub mod federation;
pub mod gateway;
pub mod health;
pub mod keys;
pub mod mail;
pub mod oauth;
pub mod retention;
pub mod second_factor;
mod security_event;
pub mod settings;
#[cfg(test)]
pub mod testing;
pub mod token;
mod told;
