//! Follows the audit trail in the order of commits, for as long as the caller may.
//!
//! The trail is read only when the message before has been taken: a slow reader costs no memory, and is told when what
//! it has not read is gone.

use std::sync::Arc;
use std::time::Duration;

use super::place;
use crate::crypto::page_token::PageScope;
use crate::domain::audit_trail::{AuditCursor, AuditFilter, AuditReading, StoredEvent};
use crate::domain::clock::{Clock, Entropy};
use crate::domain::ports::audit_trail::AuditTrail;
use crate::service::access::admission::Admission;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// How often the trail is read where nothing new was found.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A message comes at least this often, so that a reader of rare events can resume near the end.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Events in one message at most.
const MAX_EVENTS: u32 = 200;

/// Follows the audit trail.
#[derive(Clone)]
pub struct WatchAuditEvents {
    pub trail: Arc<dyn AuditTrail>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// One reader's way along the trail.
pub struct AuditWatch {
    needs: WatchAuditEvents,
    filter: AuditFilter,
    cursor: AuditCursor,
    admission: Admission,
    /// When the last message was, by the monotonic clock; `None` before the first.
    told_at: Option<Duration>,
}

/// What has been committed since the message before.
#[derive(Debug)]
pub struct AuditNews {
    /// In the order in which they were committed; empty in a heartbeat.
    pub events: Vec<StoredEvent>,
    /// The place after them, sealed.
    pub cursor: String,
}

impl WatchAuditEvents {
    /// Begins after the cursor, or with what is committed from now on where it is empty. A cursor goes on with any
    /// filter and for any caller who may watch at all: it tells nothing, and holds no more than a place.
    pub async fn run(&self, filter: AuditFilter, cursor: &str, admission: Admission) -> ServiceResult<AuditWatch> {
        let cursor = match cursor {
            "" => self.trail.end().await?,
            sealed => self.open(sealed)?,
        };
        Ok(AuditWatch { needs: self.clone(), filter, cursor, admission, told_at: None })
    }

    fn open(&self, sealed: &str) -> ServiceResult<AuditCursor> {
        let position = self.keys.ring().pages().open(&scope(), sealed).ok();
        let cursor = position.and_then(|position| place::cursor(&position));
        cursor.ok_or_else(|| ServiceError::invalid_field("cursor", CURSOR_FAULT))
    }

    fn seal(&self, cursor: AuditCursor) -> String {
        self.keys.ring().pages().issue(&scope(), &place::of_cursor(cursor), self.entropy.as_ref())
    }
}

const CURSOR_FAULT: &str = "must be the cursor of a message of this service, unchanged";

fn scope() -> PageScope {
    PageScope { list: "audit_cursor", caller: String::new(), question: String::new() }
}

impl AuditWatch {
    /// Waits for the next message: at once the first time, then when there is something new, or a heartbeat is due.
    /// Whether the caller may still watch is asked each time that the trail is read.
    pub async fn next(&mut self) -> ServiceResult<AuditNews> {
        loop {
            self.admission.check().await?;
            let events = match self.needs.trail.follow(&self.filter, self.cursor, MAX_EVENTS).await? {
                AuditReading::Page { events, cursor } => {
                    self.cursor = cursor;
                    events
                }
                AuditReading::TooOld => return Err(ServiceError::CursorTooOld),
            };
            let now = self.needs.clock.monotonic();
            if !events.is_empty() || self.told_at.is_none_or(|told_at| now.saturating_sub(told_at) >= HEARTBEAT) {
                self.told_at = Some(now);
                return Ok(AuditNews { events, cursor: self.needs.seal(self.cursor) });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}
