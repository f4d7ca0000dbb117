//! The master keys: the one that server keys shall be sealed under, and former ones, which open what still is under them.

use zeroize::Zeroizing;

use super::seal::{SealError, SealingKey};
use crate::domain::key::StoredKey;

/// The master keys that this replica knows.
pub struct MasterKeys {
    current: SealingKey,
    former: Vec<SealingKey>,
}

impl MasterKeys {
    pub fn new(current: SealingKey, former: Vec<SealingKey>) -> Self {
        Self { current, former }
    }

    /// Opens with whichever key has sealed.
    pub(super) fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.all().find(|key| key.has_sealed(sealed)).ok_or(SealError)?.open(context, sealed)
    }

    pub(super) fn current(&self) -> &SealingKey {
        &self.current
    }

    /// Whether the key is sealed under the current master key.
    pub fn is_current(&self, key: &StoredKey) -> bool {
        self.current.has_sealed(&key.sealed)
    }

    /// What a new key is sealed under: the same as those that are there, so that a replica that was not yet told of the
    /// current master key can open it. All of them move at once, when the operator says so.
    pub fn in_use(&self, keys: &[StoredKey]) -> &SealingKey {
        let newest = keys.iter().max_by_key(|key| key.created_at);
        let of_newest = newest.and_then(|newest| self.all().find(|key| key.has_sealed(&newest.sealed)));
        of_newest.unwrap_or(&self.current)
    }

    fn all(&self) -> impl Iterator<Item = &SealingKey> {
        std::iter::once(&self.current).chain(&self.former)
    }
}

impl From<SealingKey> for MasterKeys {
    fn from(current: SealingKey) -> Self {
        Self::new(current, Vec::new())
    }
}
