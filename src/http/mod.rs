//! The HTTP edge, on a port of its own: OAuth's endpoints and the public keys for every library that knows them, the way of
//! browsers to providers and back, decisions for gateways, and health for orchestrators.
//!
//! May import `service`, `domain` and `net`. Must not decide anything, and must not know a database or gRPC.

mod access_log;
mod cacheable;
mod connection;
mod cookies;
mod forward_auth;
mod front;
mod health;
mod jwks;
pub mod oauth;
mod problem;
mod providers;
mod router;
mod server;
pub mod settings;

pub use server::{Bound, Needs, Server};
pub use settings::{Fault, Settings};
