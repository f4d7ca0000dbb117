//! Gives out the public keys that access tokens are signed with.

use std::sync::Arc;
use std::time::Duration;

use crate::crypto::jwk::PublicJwk;
use crate::service::keys::live_keys::LiveKeys;

/// Gives out the public keys that access tokens are signed with.
pub struct GetJwks {
    pub keys: Arc<LiveKeys>,
    /// For how long others may keep the keys.
    pub max_age: Duration,
}

/// The keys, and for how long they may be kept.
#[derive(Clone, Debug)]
pub struct PublishedKeys {
    pub keys: Arc<[PublicJwk]>,
    pub max_age: Duration,
}

impl GetJwks {
    pub fn run(&self) -> PublishedKeys {
        PublishedKeys { keys: self.keys.ring().jwks(), max_age: self.max_age }
    }
}
