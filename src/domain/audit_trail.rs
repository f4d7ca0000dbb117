//! The audit trail as it is read: which events, in which order, and where a reader goes on.

use super::audit::{AuditKind, AuditOutcome};
use super::clock::Timestamp;
use super::id::{AuditId, PrincipalId, SessionId};

/// An event as the trail holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub id: AuditId,
    pub at: Timestamp,
    /// A word and not an [`AuditKind`]: a newer replica may have written one that this one does not know.
    pub kind: String,
    pub outcome: AuditOutcome,
    pub actor: Option<PrincipalId>,
    pub subject: Option<PrincipalId>,
    pub session: Option<SessionId>,
    pub detail: Option<String>,
    /// The network address; gone with the user whom it tells of.
    pub source: Option<String>,
    pub trace_id: String,
}

impl StoredEvent {
    /// Its place in the list by time.
    pub fn place(&self) -> AuditPlace {
        AuditPlace { at: self.at, id: self.id }
    }
}

/// Which events; what is unset chooses all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub subject: Option<PrincipalId>,
    pub actor: Option<PrincipalId>,
    /// The event is of one of these, unless there are none.
    pub kinds: Vec<AuditKind>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// A place in the list by time: whatever is listed after it is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    pub at: Timestamp,
    pub id: AuditId,
}

/// A place in the order in which events were committed: everything up to it has been seen, nothing after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditCursor {
    /// Where the store puts the event's transaction.
    pub position: i64,
    /// Orders the events of one transaction.
    pub id: AuditId,
}

/// What came of reading on.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditReading {
    /// Events in the order in which they were committed, and the place after them.
    Page { events: Vec<StoredEvent>, cursor: AuditCursor },
    /// Events after the cursor are gone, or the cursor is none of this database's.
    TooOld,
}
