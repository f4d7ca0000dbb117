//! Sessions, and the revocations that replicas read.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use super::columns::{Columns, bytes, goes_with_user, index, number, optional_number, uuid};

/// Rows commit out of order. A row that carries its transaction's id lets a reader stop its cursor short of every
/// transaction that may still commit. SQLite has one writer, so the order of its ids is the order of its commits.
const ADD_TRANSACTION_ID: &str =
    "ALTER TABLE revocations ADD COLUMN txid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        manager.create_table(sessions(columns)).await?;
        manager.create_index(index("sessions", "sessions_user", &["user_id", "ended_at"])).await?;
        manager.create_index(index("sessions", "sessions_expiry", &["expires_at"])).await?;
        manager.create_table(revocations(columns)).await?;
        manager.create_index(index("revocations", "revocations_expiry", &["expires_at"])).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared(ADD_TRANSACTION_ID).await?;
            manager.create_index(index("revocations", "revocations_txid", &["txid"])).await?;
        }
        Ok(())
    }
}

fn sessions(columns: Columns) -> TableCreateStatement {
    Table::create()
        .table("sessions")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(number("generation"))
        .col(bytes("salt"))
        .col(columns.text("refresh_key_id"))
        .col(columns.text("audience"))
        .col(columns.text("methods"))
        .col(columns.text("device_name"))
        .col(number("authenticated_at"))
        .col(number("rotated_at"))
        .col(number("idle_expires_at"))
        .col(number("expires_at"))
        .col(optional_number("ended_at"))
        .foreign_key(&mut goes_with_user("sessions"))
        .take()
}

fn revocations(columns: Columns) -> TableCreateStatement {
    Table::create()
        .table("revocations")
        .col(number("id").auto_increment().primary_key())
        .col(columns.text("kind"))
        .col(columns.text("target"))
        .col(optional_number("min_epoch"))
        .col(number("expires_at"))
        .take()
}
