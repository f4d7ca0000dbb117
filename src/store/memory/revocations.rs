//! The table of revocations. Under one lock nothing commits late, so a cursor is a place in the list.

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::ports::{Revocations, StoreResult};
use crate::domain::revocation::{RevocationCursor, RevocationGap, RevocationPage};

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

    async fn since(&self, cursor: RevocationCursor, now: Timestamp, limit: u32) -> StoreResult<RevocationGap> {
        let page = self.read(cursor, now).await?;
        let is_close = cursor <= page.cursor && u32::try_from(page.revocations.len()).is_ok_and(|count| count <= limit);
        Ok(if is_close { RevocationGap::Missed(page.revocations) } else { RevocationGap::TooWide })
    }
}
