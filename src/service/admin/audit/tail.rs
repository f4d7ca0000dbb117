//! The end of the audit trail, and what comes after it, for the operator at the command line.

use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::audit_trail::{AuditCursor, AuditFilter, AuditReading, StoredEvent};
use crate::domain::id::AuditId;
use crate::domain::ports::audit_trail::AuditTrail;
use crate::service::error::{ServiceError, ServiceResult};

/// Events that one reading gives at most.
const MAX_EVENTS: u32 = 200;

/// Reads the end of the audit trail.
#[derive(Clone)]
pub struct TailAudit {
    pub trail: Arc<dyn AuditTrail>,
}

/// A way along the trail from its end on.
pub struct Tail {
    trail: Arc<dyn AuditTrail>,
    cursor: AuditCursor,
    /// Told with the end already, though they come after the cursor too.
    told: HashSet<AuditId>,
}

impl TailAudit {
    /// The last `limit` events, the oldest first, and the way on after them.
    pub async fn run(&self, limit: u32) -> ServiceResult<(Vec<StoredEvent>, Tail)> {
        // Before the list is read: what commits in between comes twice, and is told once.
        let cursor = self.trail.end().await?;
        let mut events = self.trail.list(&AuditFilter::default(), None, limit).await?;
        events.reverse();
        let told = events.iter().map(|event| event.id).collect();
        Ok((events, Tail { trail: Arc::clone(&self.trail), cursor, told }))
    }
}

impl Tail {
    /// What has been committed since; nothing where there is nothing new.
    pub async fn next(&mut self) -> ServiceResult<Vec<StoredEvent>> {
        match self.trail.follow(&AuditFilter::default(), self.cursor, MAX_EVENTS).await? {
            AuditReading::TooOld => Err(ServiceError::CursorTooOld),
            AuditReading::Page { events, cursor } => {
                self.cursor = cursor;
                Ok(events.into_iter().filter(|event| !self.told.remove(&event.id)).collect())
            }
        }
    }
}
