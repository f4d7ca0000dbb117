//! What the life of server keys is set to.

use std::time::Duration;

use crate::domain::key::SigningAlgorithm;

/// How signing keys are made and replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySettings {
    /// Of new signing keys; those that exist keep theirs.
    pub algorithm: SigningAlgorithm,
    /// How long a signing key signs before the next one takes over.
    pub rotation_period: Duration,
    /// For how long others may keep the published keys.
    pub jwks_max_age: Duration,
    /// How often the key ring is read again.
    pub reload_interval: Duration,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            algorithm: SigningAlgorithm::Es256,
            rotation_period: Duration::from_hours(30 * 24),
            jwks_max_age: Duration::from_mins(5),
            reload_interval: Duration::from_secs(30),
        }
    }
}

impl KeySettings {
    /// For how long a key is published before it signs, so that every verifier has it by then; a ring that was read
    /// longer ago may not sign.
    pub fn publish_lead(&self) -> Duration {
        self.jwks_max_age + 3 * self.reload_interval
    }
}
