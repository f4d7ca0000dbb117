//! The audit trail, read. Under one lock nothing commits late, so a position is a place in the list.

use async_trait::async_trait;
use uuid::Uuid;

use super::MemoryStore;
use super::state::State;
use crate::domain::audit::AuditEvent;
use crate::domain::audit_trail::{AuditCursor, AuditFilter, AuditPlace, AuditReading, StoredEvent};
use crate::domain::id::AuditId;
use crate::domain::ports::audit_trail::AuditTrail;
use crate::domain::ports::{AuditContext, StoreResult};

#[async_trait]
impl AuditTrail for MemoryStore {
    async fn list(&self, filter: &AuditFilter, after: Option<AuditPlace>, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        let mut events: Vec<_> = self.open()?.stored_events(filter).into_iter().map(|(_, event)| event).collect();
        events.retain(|event| after.is_none_or(|after| event.place() < after));
        events.sort_by_key(|event| std::cmp::Reverse(event.place()));
        events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(events)
    }

    async fn end(&self) -> StoreResult<AuditCursor> {
        Ok(self.open()?.end_of_trail())
    }

    async fn follow(&self, filter: &AuditFilter, after: AuditCursor, limit: u32) -> StoreResult<AuditReading> {
        let state = self.open()?;
        let end = state.end_of_trail();
        if after.position > end.position {
            return Ok(AuditReading::TooOld);
        }
        let mut events = state.stored_events(filter);
        events.retain(|(position, event)| AuditCursor { position: *position, id: event.id } > after);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        events.truncate(limit);
        let last = events.last().filter(|_| events.len() == limit);
        let cursor = last.map_or(end, |(position, event)| AuditCursor { position: *position, id: event.id });
        Ok(AuditReading::Page { events: events.into_iter().map(|(_, event)| event).collect(), cursor })
    }
}

impl State {
    fn end_of_trail(&self) -> AuditCursor {
        let position = i64::try_from(self.audit.len()).unwrap_or(i64::MAX);
        AuditCursor { position, id: AuditId::from_uuid(Uuid::max()) }
    }

    /// The events that the filter chooses, each with its position.
    fn stored_events(&self, filter: &AuditFilter) -> Vec<(i64, StoredEvent)> {
        let chosen = self.audit.iter().zip(1..).filter(|((event, context), _)| chooses(filter, event, context));
        chosen.map(|((event, context), position)| (position, stored(event, context, position))).collect()
    }
}

fn chooses(filter: &AuditFilter, event: &AuditEvent, context: &AuditContext) -> bool {
    (filter.subject.is_none() || filter.subject == event.subject)
        && (filter.actor.is_none() || filter.actor == event.actor)
        && (filter.kinds.is_empty() || filter.kinds.contains(&event.kind))
        && filter.from.is_none_or(|from| from <= context.at)
        && filter.until.is_none_or(|until| context.at < until)
}

fn stored(event: &AuditEvent, context: &AuditContext, position: i64) -> StoredEvent {
    StoredEvent {
        id: AuditId::from_uuid(Uuid::from_u128(u128::from(position.unsigned_abs()))),
        at: context.at,
        kind: event.kind.as_str().to_owned(),
        outcome: event.outcome,
        actor: event.actor,
        subject: event.subject,
        session: event.session,
        detail: event.detail.clone(),
        source: context.origin.source.map(|source| source.to_string()),
        trace_id: context.origin.trace_id.to_string(),
    }
}
