//! Gives out the public keys that access tokens are signed with.

use std::sync::Arc;
use std::time::Duration;

use crate::crypto::jwk::PublicJwk;

/// Gives out the public keys that access tokens are signed with.
pub struct GetJwks {}

/// The keys, and for how long they may be kept.
#[derive(Clone, Debug)]
pub struct PublishedKeys {
    pub keys: Arc<[PublicJwk]>,
    pub max_age: Duration,
}

impl GetJwks {
    pub fn run(&self) -> PublishedKeys {
        todo!()
    }
}
