//! The HTTP edge: the public keys for every JOSE library, decisions for gateways, the way of browsers to providers and
//! back, and health for orchestrators, on a port of its own.
//!
//! May import `service` and `domain`. Must not decide anything, and must not know a database or gRPC.

mod connection;
mod cookies;
mod forward_auth;
mod health;
mod jwks;
mod listener;
mod oauth;
mod problem;
mod router;
mod server;
pub mod settings;

pub use server::{Bound, Needs, OriginOf, Server};
pub use settings::{Fault, Settings};
