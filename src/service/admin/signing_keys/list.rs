//! Lists the signing keys.

use std::sync::Arc;

use crate::domain::key::StoredKey;
use crate::service::error::ServiceResult;
use crate::service::keys::stored_ring::{StoredRing, signing};

/// Lists the signing keys, the newest first.
pub struct ListSigningKeys {
    pub ring: Arc<StoredRing>,
}

impl ListSigningKeys {
    /// As they are stored, which may be newer than what this replica uses.
    pub async fn run(&self) -> ServiceResult<Vec<StoredKey>> {
        let stored = self.ring.reload().await?;
        let mut keys: Vec<StoredKey> = signing(&stored.keys).cloned().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.created_at));
        Ok(keys)
    }
}
