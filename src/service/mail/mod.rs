//! The worker behind the outbox: looks up, mints, renders, delivers.

pub mod deliver;
mod envelope;
mod render;
pub mod settings;
