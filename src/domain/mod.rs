//! The domain: types that cannot be wrong, rules, and the ports through which use cases reach the world.
//!
//! Owns the words that every other room speaks. Imports nothing of ours and no framework. Must not know that there is
//! a database, a network or a protocol.

pub mod audit;
pub mod audit_trail;
pub mod caller;
pub mod clock;
pub mod deadline;
pub mod email;
pub mod email_change;
pub mod email_prefix;
pub mod id;
pub mod identity;
pub mod key;
pub mod language;
pub mod mail;
pub mod manual_clock;
pub mod name;
pub mod network;
pub mod oauth_flow;
pub mod one_time_token;
pub mod origin;
pub mod password;
pub mod ports;
pub mod proxies;
pub mod revocation;
pub mod rights;
pub mod role;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod tally;
pub mod throttle;
pub mod trace;
pub mod user;
pub mod user_change;
pub mod user_list;
pub mod user_transfer;
