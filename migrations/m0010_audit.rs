//! The order in which audit events were committed, how far they have been purged, and indexes for who asks.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::columns::{Columns, index, number, uuid};

/// As with revocations: rows commit out of order, and one that carries its transaction's id lets a reader stop short of
/// every transaction that may still commit.
const ADD_POSITION: &str =
    "ALTER TABLE audit_events ADD COLUMN position bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)";

/// SQLite cannot add a column that counts. A position, once given, is never given again, whatever is purged.
const MOVE_EVENTS: &str = "INSERT INTO audit_events_in_order \
    (id, at, kind, outcome, actor, subject, session, detail, source, trace_id) \
    SELECT id, at, kind, outcome, actor, subject, session, detail, source, trace_id FROM audit_events ORDER BY at, id";
const REPLACE_TABLE: &str = "DROP TABLE audit_events; ALTER TABLE audit_events_in_order RENAME TO audit_events";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared(ADD_POSITION).await?;
            manager.create_index(index("audit_events", "audit_events_position", &["position", "id"])).await?;
        } else {
            rebuild(manager).await?;
        }
        manager.create_index(index("audit_events", "audit_events_actor", &["actor", "at"])).await?;
        manager.create_index(index("audit_events", "audit_events_kind", &["kind", "at"])).await?;
        let horizon = Table::create()
            .table("audit_horizon")
            .col(number("id").primary_key())
            .col(number("position"))
            .col(uuid("event"))
            .take();
        manager.create_table(horizon).await?;
        let first = Query::insert()
            .into_table("audit_horizon")
            .columns(["id", "position", "event"])
            .values_panic([1.into(), 0.into(), ::uuid::Uuid::nil().into()])
            .take();
        manager.get_connection().execute(&first).await.map(|_| ())
    }
}

async fn rebuild(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = Columns::of(manager);
    let events = Table::create()
        .table("audit_events_in_order")
        .col(number("position").auto_increment().primary_key())
        .col(uuid("id").unique_key())
        .col(number("at"))
        .col(columns.text("kind"))
        .col(columns.text("outcome"))
        .col(ColumnDef::new("actor").uuid())
        .col(ColumnDef::new("subject").uuid())
        .col(ColumnDef::new("session").uuid())
        .col(columns.optional_text("detail"))
        .col(columns.optional_text("source"))
        .col(columns.text("trace_id"))
        .take();
    manager.create_table(events).await?;
    manager.get_connection().execute_unprepared(MOVE_EVENTS).await?;
    manager.get_connection().execute_unprepared(REPLACE_TABLE).await?;
    manager.create_index(index("audit_events", "audit_events_subject", &["subject", "at"])).await?;
    manager.create_index(index("audit_events", "audit_events_at", &["at"])).await
}
