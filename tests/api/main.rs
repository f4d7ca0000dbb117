//! Drives the service over the wire: a file for each RPC or promise, each test's name a sentence.
//!
//! Every test has a Keystead of its own (see [`harness`]); most run on SQLite and on PostgreSQL with Redis alike.

#[path = "../support/mod.rs"]
mod support;

mod harness;

mod canary;
mod failures;
mod hash_flood;
mod login;
mod login_timing;
mod mail;
mod refresh;
mod register;
