//! Drives the service over the wire: a file for each RPC or promise, each test's name a sentence.
//!
//! Every test has a Keystead of its own (see [`harness`]); most run on SQLite and on PostgreSQL with Redis alike.

#[path = "../support/mod.rs"]
mod support;

mod harness;

mod drain;
mod http2_limits;
mod login;
mod messages;
mod refresh;
mod register;
mod start;
mod tls;
