//! The key ring: every server key, opened, as one immutable value that is swapped as a whole.

use std::sync::Arc;

use keystead_verifier::{Claims, KeySet};

use super::jwk::PublicJwk;
use super::lookup::LookupKey;
use super::refresh_token::RefreshKey;
use super::seal::{SealError, SealingKey};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::key::{KeyPurpose, KeyState, SigningAlgorithm, StoredKey, StoredKeys};

/// Every server key, opened.
pub struct KeyRing {}

/// There is no key in the state that the operation needs, or it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key ring cannot sign")]
pub struct SignError;

impl KeyRing {
    /// Opens the stored keys. Every purpose must have exactly one active key.
    pub fn open(_stored: &StoredKeys, _master: &SealingKey) -> Result<Self, SealError> {
        todo!()
    }

    pub fn version(&self) -> i64 {
        todo!()
    }

    /// What access tokens are verified with: keys of every state.
    pub fn verification_keys(&self) -> &KeySet {
        todo!()
    }

    /// The public form of every signing key, newest first.
    pub fn jwks(&self) -> Arc<[PublicJwk]> {
        todo!()
    }

    /// Signs claims with the active signing key: `typ` `at+jwt`, `alg` and `kid` by the key.
    pub fn sign(&self, _claims: &Claims) -> Result<String, SignError> {
        todo!()
    }

    /// The id of the active refresh key, for the row of a new session.
    pub fn active_refresh_key_id(&self) -> &str {
        todo!()
    }

    /// The refresh key that a session's row names.
    pub fn refresh_key(&self, _id: &str) -> Option<&RefreshKey> {
        todo!()
    }

    pub fn lookup(&self) -> &LookupKey {
        todo!()
    }

    pub fn mail(&self) -> &SealingKey {
        todo!()
    }
}

/// Makes a key and seals it under the master key. `algorithm` is for signing keys alone.
pub fn generate(
    _purpose: KeyPurpose,
    _algorithm: SigningAlgorithm,
    _state: KeyState,
    _master: &SealingKey,
    _entropy: &dyn Entropy,
    _now: Timestamp,
) -> Result<StoredKey, SignError> {
    todo!()
}
