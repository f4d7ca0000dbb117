//! Drives the service over the wire: a file for each RPC or promise, each test's name a sentence.
//!
//! Every test has a Keystead of its own (see [`harness`]); most run on SQLite and on PostgreSQL with Redis alike.

#![cfg(test)]
#![expect(
    clippy::large_futures,
    clippy::format_collect,
    clippy::needless_for_each,
    clippy::needless_pass_by_value,
    reason = "these cost a test nothing that matters"
)]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other test binaries use the rest")]
mod support;

mod harness;

mod access_matrix;
mod account;
mod admin_users;
mod audit;
mod audit_atomicity;
mod batch_verify;
mod budgets;
mod canary;
mod change_password;
mod cli;
mod client;
mod concurrent_refresh;
mod deletion;
mod deployment;
mod descriptors;
mod doctor;
mod drain;
mod email_change;
mod email_verification;
mod errors;
mod failures;
mod federation;
mod forged_tokens;
mod gateways;
mod grpc_web;
mod guesses;
mod hash_admission;
mod hash_flood;
mod healthcheck;
mod held_messages;
mod http2_limits;
mod import;
mod keys;
mod last_admin;
mod login;
mod login_timing;
mod logout;
mod mail;
mod mail_templates;
mod master_key;
mod messages;
mod metrics;
mod mfa_required;
mod oauth;
mod own_factor;
mod private_authority;
mod query_plans;
mod readme;
mod refresh;
mod refresh_interleavings;
mod refresh_token_bytes;
mod register;
mod reset;
mod reset_race;
mod restore;
mod rights;
mod rolling_update;
mod second_factor;
mod service_accounts;
mod sessions;
mod signing_keys;
mod start;
mod tls;
mod token_kinds;
mod traces;
mod two_replicas;
mod upgrade;
mod verify_token;
mod watch_revocations;
