//! The audit trail: ids only, and no foreign key, so that it outlives what it tells of.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, index, number, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let events = Table::create()
            .table("audit_events")
            .col(uuid("id").primary_key())
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
        manager.create_index(index("audit_events", "audit_events_subject", &["subject", "at"])).await?;
        manager.create_index(index("audit_events", "audit_events_at", &["at"])).await
    }
}
