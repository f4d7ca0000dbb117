//! What the calls that speak of second factors have in common.

pub mod changer;
pub mod describer;
pub mod enroller;
mod qr_code;
pub mod rule;
pub mod settings;
