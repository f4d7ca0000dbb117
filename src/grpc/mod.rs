//! The gRPC edge: protocol into words, words into protocol, and everything that a hostile network needs to be told no.
//!
//! A request comes through `transport` (connections) and `front` (its one way in and out) to a service, which converts
//! it, runs one use case, and converts the answer. Owns the generated code. May import `service`, `domain` and `net`.
//! Must not decide anything, and must not know a database.

mod access;
mod access_log;
pub mod account_service;
pub mod admin;
pub mod admin_service;
pub mod auth_service;
pub mod bearer;
pub mod calls;
pub mod claims;
mod codec;
mod convert;
pub mod deadline;
mod details;
pub mod ext_authz;
mod front;
mod guard;
mod health;
mod message_limit;
mod methods;
pub mod pb;
#[cfg(test)]
mod reference;
mod server;
pub mod settings;
mod status;
mod stay;
#[cfg(test)]
mod testing;
pub mod token_service;
pub mod transport;
mod web;

pub use server::{BindError, Bound, Needs, Server, Services};
pub use settings::{Fault, Settings};

#[cfg(test)]
mod tests;
