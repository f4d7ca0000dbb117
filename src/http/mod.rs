//! The HTTP edge, on a port of its own: OAuth's endpoints and the public keys for every library that knows them, the way of
//! browsers to providers and back, decisions for gateways, health for orchestrators, and numbers for Prometheus.
//!
//! May import `service`, `domain` and `net`. Must not decide anything, and must not know a database or gRPC.

mod access_log;
mod cacheable;
pub mod calls;
mod connection;
pub mod cookies;
mod forward_auth;
mod front;
mod health;
mod jwks;
mod metrics;
pub mod oauth;
mod problem;
mod providers;
mod router;
mod server;
pub mod settings;

pub use metrics::Page;
pub use server::{Bound, Measured, Needs, Server};
pub use settings::{Fault, Settings};
