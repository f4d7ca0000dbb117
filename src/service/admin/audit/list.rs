//! Lists audit events, the newest first, page by page.

use std::sync::Arc;

use super::place;
use crate::crypto::page_token::{PageScope, PageTokenFault};
use crate::domain::audit::AuditKind;
use crate::domain::audit_trail::{AuditFilter, AuditPlace, StoredEvent};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::id::PrincipalId;
use crate::domain::ports::audit_trail::AuditTrail;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// Lists audit events, the newest first, page by page.
pub struct ListAuditEvents {
    pub trail: Arc<dyn AuditTrail>,
    pub keys: Arc<LiveKeys>,
    pub entropy: Arc<dyn Entropy>,
}

/// Which events, and how many at once.
#[derive(Clone, Debug, Default)]
pub struct ListAuditEventsRequest {
    pub filter: AuditFilter,
    pub page_size: u32,
    /// The token of the page before; empty for the first.
    pub page_token: String,
}

/// A page of events.
#[derive(Debug)]
pub struct AuditPage {
    pub events: Vec<StoredEvent>,
    /// `None` where this is the last page.
    pub next_page_token: Option<String>,
}

impl ListAuditEvents {
    /// A token goes on with the list of the caller who got it, and with no other.
    pub async fn run(&self, request: ListAuditEventsRequest, caller: PrincipalId) -> ServiceResult<AuditPage> {
        let (ring, scope) = (self.keys.ring(), scope(&request.filter, caller));
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(open(&ring.pages().open(&scope, token))?),
        };
        // One more than is shown tells whether there is another page.
        let mut events = self.trail.list(&request.filter, after, request.page_size.saturating_add(1)).await?;
        let page_size = usize::try_from(request.page_size).unwrap_or(usize::MAX);
        let is_last = events.len() <= page_size;
        events.truncate(page_size);
        let last = events.last().filter(|_| !is_last).map(StoredEvent::place);
        let issue = |last| ring.pages().issue(&scope, &place::of_place(last), self.entropy.as_ref());
        Ok(AuditPage { next_page_token: last.map(issue), events })
    }
}

fn open(position: &Result<Vec<u8>, PageTokenFault>) -> ServiceResult<AuditPlace> {
    let place = position.as_ref().ok().and_then(|position| place::place(position));
    place.ok_or_else(|| ServiceError::invalid_field("page_token", &PageTokenFault.to_string()))
}

/// The order of the kinds asks nothing else.
fn scope(filter: &AuditFilter, caller: PrincipalId) -> PageScope {
    let mut kinds: Vec<&str> = filter.kinds.iter().copied().map(AuditKind::as_str).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let id = |id: Option<PrincipalId>| id.map(|id| id.to_string()).unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map(|time| time.as_millis().to_string()).unwrap_or_default();
    let question = format!(
        "subject={};actor={};kinds={};from={};until={}",
        id(filter.subject),
        id(filter.actor),
        kinds.join(","),
        time(filter.from),
        time(filter.until)
    );
    PageScope { list: "audit_events", caller: caller.to_string(), question }
}
