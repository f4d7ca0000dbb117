//! The worker behind the outbox: looks up, mints, renders, delivers.

pub mod settings;
