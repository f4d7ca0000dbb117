//! The key ring: every server key, opened, as one immutable value that is swapped as a whole.

use std::collections::HashMap;
use std::sync::Arc;

use keystead_verifier::{Claims, KeySet};

use super::jwk::PublicJwk;
use super::lookup::LookupKey;
use super::master_keys::MasterKeys;
use super::page_token::PageTokens;
use super::refresh_token::RefreshKey;
use super::seal::{SealError, SealingKey};
use super::server_key;
pub use super::server_key::{generate, reseal};
use super::signing_key::SigningKey;
use crate::domain::clock::Timestamp;
use crate::domain::key::{KeyPurpose, KeyState, StoredKey, StoredKeys};

/// Every server key, opened.
pub struct KeyRing {
    version: i64,
    active: SigningKey,
    signing_since: Timestamp,
    verification: KeySet,
    jwks: Arc<[PublicJwk]>,
    refresh: HashMap<String, RefreshKey>,
    active_refresh: String,
    lookup: LookupKey,
    mail: SealingKey,
    pages: PageTokens,
    factor: SealingKey,
}

/// There is no key in the state that the operation needs, or it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key ring cannot sign")]
pub struct SignError;

/// Why the stored keys are no key ring.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// It was sealed under a master key that is not here, or was changed.
    #[error("server key {id} does not open under a master key that is set")]
    Sealed { id: String, source: SealError },
    /// What was sealed is no key of its purpose and algorithm, or not the one that its id names.
    #[error("server key {id} is not what its record says")]
    Mismatch { id: String },
    /// One key for each purpose must be active, no more and no less.
    #[error("{found} active keys for {purpose:?} instead of one")]
    Active { purpose: KeyPurpose, found: usize },
}

impl KeyRing {
    /// Opens the stored keys. Every purpose must have exactly one active key.
    pub fn open(stored: &StoredKeys, master: &MasterKeys) -> Result<Self, RingError> {
        let active_signing = active(stored, KeyPurpose::Signing)?;
        let active_refresh = active(stored, KeyPurpose::Refresh)?;
        let lookup = active(stored, KeyPurpose::Lookup)?;
        let mail = active(stored, KeyPurpose::Mail)?;
        let pages = active(stored, KeyPurpose::Page)?;
        let factor = active(stored, KeyPurpose::Factor)?;
        let mut refresh = HashMap::new();
        for key in of_purpose(stored, KeyPurpose::Refresh) {
            refresh.insert(key.id.clone(), RefreshKey::from_bytes(&*server_key::open_secret(key, master)?));
        }
        let (verification, jwks) = published(stored, master)?;
        Ok(Self {
            version: stored.version,
            active: server_key::open_signing(active_signing, master)?,
            signing_since: active_signing.state_since,
            verification,
            jwks,
            refresh,
            active_refresh: active_refresh.id.clone(),
            lookup: LookupKey::from_bytes(&*server_key::open_secret(lookup, master)?),
            mail: SealingKey::from_bytes(&*server_key::open_secret(mail, master)?),
            pages: PageTokens::new(SealingKey::from_bytes(&*server_key::open_secret(pages, master)?)),
            factor: SealingKey::from_bytes(&*server_key::open_secret(factor, master)?),
        })
    }

    pub fn version(&self) -> i64 {
        self.version
    }

    /// What access tokens are verified with: keys of every state.
    pub fn verification_keys(&self) -> &KeySet {
        &self.verification
    }

    /// The public form of every signing key, newest first.
    pub fn jwks(&self) -> Arc<[PublicJwk]> {
        Arc::clone(&self.jwks)
    }

    /// Signs claims with the active signing key: `typ` `at+jwt`, `alg` and `kid` by the key.
    pub fn sign(&self, claims: &Claims) -> Result<String, SignError> {
        self.active.sign(claims)
    }

    /// The id of the key that signs.
    pub fn active_signing_key_id(&self) -> &str {
        self.active.kid()
    }

    /// Since when that key signs.
    pub fn signing_since(&self) -> Timestamp {
        self.signing_since
    }

    /// The id of the active refresh key, for the row of a new session.
    pub fn active_refresh_key_id(&self) -> &str {
        &self.active_refresh
    }

    /// The refresh key that a session's row names.
    pub fn refresh_key(&self, id: &str) -> Option<&RefreshKey> {
        self.refresh.get(id)
    }

    pub fn lookup(&self) -> &LookupKey {
        &self.lookup
    }

    pub fn mail(&self) -> &SealingKey {
        &self.mail
    }

    pub fn pages(&self) -> &PageTokens {
        &self.pages
    }

    /// What seals the secrets of second factors.
    pub fn factor(&self) -> &SealingKey {
        &self.factor
    }
}

fn published(stored: &StoredKeys, master: &MasterKeys) -> Result<(KeySet, Arc<[PublicJwk]>), RingError> {
    let mut keys: Vec<&StoredKey> = of_purpose(stored, KeyPurpose::Signing).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.created_at));
    let mut verification = KeySet::default();
    let mut jwks = Vec::with_capacity(keys.len());
    for key in keys {
        let key = server_key::open_signing(key, master)?;
        verification.insert(key.kid(), key.verification_key().clone());
        jwks.push(key.jwk().clone());
    }
    Ok((verification, jwks.into()))
}

fn of_purpose(stored: &StoredKeys, purpose: KeyPurpose) -> impl Iterator<Item = &StoredKey> {
    stored.keys.iter().filter(move |key| key.purpose == purpose)
}

fn active(stored: &StoredKeys, purpose: KeyPurpose) -> Result<&StoredKey, RingError> {
    let active: Vec<&StoredKey> = of_purpose(stored, purpose).filter(|key| key.state == KeyState::Active).collect();
    match active.as_slice() {
        [key] => Ok(key),
        other => Err(RingError::Active { purpose, found: other.len() }),
    }
}

#[cfg(test)]
mod tests;
