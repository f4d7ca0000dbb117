//! The audit trail, read.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::audit_trail::{AuditCursor, AuditFilter, AuditPlace, AuditReading, StoredEvent};

/// Reads the audit trail, by time or in the order of commits.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// Up to `limit` events, the newest first; after the place, where one is given.
    async fn list(&self, filter: &AuditFilter, after: Option<AuditPlace>, limit: u32) -> StoreResult<Vec<StoredEvent>>;

    /// The place after everything that no open transaction can come before: whatever commits from now on is after it.
    async fn end(&self) -> StoreResult<AuditCursor>;

    /// Up to `limit` events after the cursor that are settled: none that has yet to commit can come before them. So
    /// no event is skipped or told twice, but one may wait for an older transaction to end.
    async fn follow(&self, filter: &AuditFilter, after: AuditCursor, limit: u32) -> StoreResult<AuditReading>;
}
