//! The table of revocations. Under one lock nothing commits late, so a cursor is a place in the list.

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::ports::{Revocations, StoreResult};
use crate::domain::revocation::{RevocationCursor, RevocationPage};

use super::MemoryStore;

#[async_trait]
impl Revocations for MemoryStore {
    async fn read(&self, from: RevocationCursor, now: Timestamp) -> StoreResult<RevocationPage> {
        let state = self.open()?;
        let start = usize::try_from(from.0).unwrap_or(0);
        let unread = state.revocations.iter().skip(start);
        let revocations = unread.filter(|revocation| now < revocation.expires_at).cloned().collect();
        let end = i64::try_from(state.revocations.len()).unwrap_or(i64::MAX);
        Ok(RevocationPage { revocations, cursor: RevocationCursor(end) })
    }
}
