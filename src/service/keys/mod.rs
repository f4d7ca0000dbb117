//! The life of server keys: made, published, active, retiring, gone.

pub mod ensure;
pub mod live_keys;
pub mod maintain;
mod plan;
pub mod rotate_master;
pub mod settings;
pub mod stored_ring;
