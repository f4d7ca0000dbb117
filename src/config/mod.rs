//! Configuration: a TOML file, and environment variables over it, become [`Settings`], once, with all faults together.
//!
//! May import the `Settings` of every room, and domain. No room imports `config`. It alone reads the environment. A
//! setting's value is never told: not in a fault, not by `Debug` where it is secret.

pub mod fault;
pub mod form;
pub mod kubernetes;
pub mod raw;
pub mod reader;
pub mod reference;
pub mod secret;
pub mod sections;
pub mod sources;

pub use sections::DrainSettings;
pub use sections::{DatabaseKind, DatabaseSettings, MASTER_KEY_BYTES, MasterKey, Settings};

use fault::Faults;
use reader::Reader;
use sources::Sources;

impl Settings {
    /// Reads every setting, or names every fault at once.
    pub fn load(sources: Sources) -> Result<Self, Faults> {
        let mut reader = Reader::new(sources.into_raw()?);
        let settings = Self::read(&mut reader);
        reader.finish()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests;
