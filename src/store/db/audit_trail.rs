//! The audit trail, read by time or in the order of commits.

use async_trait::async_trait;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Statement,
};
use uuid::Uuid;

use super::database::Database;
use super::entity::audit_event::{Column, Entity, Model};
use super::entity::audit_horizon;
use super::fault::Fault;
use super::words::Word as _;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::audit_trail::{AuditCursor, AuditFilter, AuditPlace, AuditReading, StoredEvent};
use crate::domain::clock::Timestamp;
use crate::domain::id::{AuditId, PrincipalId, SessionId};
use crate::domain::ports::StoreResult;
use crate::domain::ports::audit_trail::AuditTrail;

/// The last position below which every transaction has ended.
const SETTLED_ON_POSTGRES: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1";
/// The last position that was given: the one writer commits in their order.
const SETTLED_ON_SQLITE: &str = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'), 0)";

#[async_trait]
impl AuditTrail for Database {
    async fn list(&self, filter: &AuditFilter, after: Option<AuditPlace>, limit: u32) -> StoreResult<Vec<StoredEvent>> {
        self.run(|| self.try_list_events(filter, after, limit)).await
    }

    async fn end(&self) -> StoreResult<AuditCursor> {
        self.run(|| async { Ok(after_all_of(self.settled().await?)) }).await
    }

    async fn follow(&self, filter: &AuditFilter, after: AuditCursor, limit: u32) -> StoreResult<AuditReading> {
        self.run(|| self.try_follow(filter, after, limit)).await
    }
}

impl Database {
    async fn try_list_events(
        &self,
        filter: &AuditFilter,
        after: Option<AuditPlace>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, Fault> {
        let older = after.map(|after| {
            let at = after.at.as_millis();
            let before = Column::At.lt(at).or(Column::Id.lt(after.id.as_uuid()));
            Condition::all().add(Column::At.lte(at)).add(before)
        });
        let rows = Entity::find()
            .filter(chosen(filter))
            .filter(older.unwrap_or_else(Condition::all))
            .order_by_desc(Column::At)
            .order_by_desc(Column::Id)
            .limit(u64::from(limit))
            .all(&self.reader)
            .await?;
        rows.into_iter().map(stored).collect()
    }

    /// First how far is settled, then the events up to there, then how far has been purged: whatever happens between,
    /// the page is whole, or too old is said.
    async fn try_follow(&self, filter: &AuditFilter, after: AuditCursor, limit: u32) -> Result<AuditReading, Fault> {
        let settled = self.settled().await?;
        let later = Column::Position.gt(after.position).or(Column::Id.gt(after.id.as_uuid()));
        let rows = Entity::find()
            .filter(chosen(filter))
            .filter(Column::Position.gte(after.position))
            .filter(later)
            .filter(Column::Position.lte(settled))
            .order_by_asc(Column::Position)
            .order_by_asc(Column::Id)
            .limit(u64::from(limit))
            .all(&self.reader)
            .await?;
        if after.position > settled || self.is_purged(after, settled).await? {
            return Ok(AuditReading::TooOld);
        }
        let is_full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
        let last = rows.last().filter(|_| is_full).map(cursor_of);
        let events = rows.into_iter().map(stored).collect::<Result<_, _>>()?;
        Ok(AuditReading::Page { events, cursor: last.unwrap_or_else(|| after_all_of(settled)) })
    }

    async fn settled(&self) -> Result<i64, Fault> {
        let ask = match self.backend() {
            DbBackend::Postgres => SETTLED_ON_POSTGRES,
            DbBackend::Sqlite | DbBackend::MySql | _ => SETTLED_ON_SQLITE,
        };
        let row = self.reader.query_one_raw(Statement::from_string(self.backend(), ask)).await?;
        Ok(row.ok_or(Fault::Corrupt("end of the trail"))?.try_get_by_index(0)?)
    }

    /// Whether an event after the cursor has been purged. A horizon that is not settled was left by another server,
    /// whose dump this one was made from: it says nothing here.
    async fn is_purged(&self, cursor: AuditCursor, settled: i64) -> Result<bool, Fault> {
        let horizon = audit_horizon::Entity::find().one(&self.reader).await?.ok_or(Fault::Corrupt("audit horizon"))?;
        let purged = AuditCursor { position: horizon.position, id: AuditId::from_uuid(horizon.event) };
        Ok(purged.position <= settled && cursor < purged)
    }
}

pub(super) fn cursor_of(row: &Model) -> AuditCursor {
    AuditCursor { position: row.position, id: AuditId::from_uuid(row.id) }
}

fn after_all_of(position: i64) -> AuditCursor {
    AuditCursor { position, id: AuditId::from_uuid(Uuid::max()) }
}

fn chosen(filter: &AuditFilter) -> Condition {
    let kinds = filter.kinds.iter().copied().map(AuditKind::as_str);
    Condition::all()
        .add_option(filter.subject.map(|subject| Column::Subject.eq(subject.as_uuid())))
        .add_option(filter.actor.map(|actor| Column::Actor.eq(actor.as_uuid())))
        .add_option((!filter.kinds.is_empty()).then(|| Column::Kind.is_in(kinds)))
        .add_option(filter.from.map(|from| Column::At.gte(from.as_millis())))
        .add_option(filter.until.map(|until| Column::At.lt(until.as_millis())))
}

fn stored(row: Model) -> Result<StoredEvent, Fault> {
    Ok(StoredEvent {
        id: AuditId::from_uuid(row.id),
        at: Timestamp::from_millis(row.at),
        outcome: AuditOutcome::parse(&row.outcome)?,
        kind: row.kind,
        actor: row.actor.map(PrincipalId::from_uuid),
        subject: row.subject.map(PrincipalId::from_uuid),
        session: row.session.map(SessionId::from_uuid),
        detail: row.detail,
        source: row.source,
        trace_id: row.trace_id,
    })
}
