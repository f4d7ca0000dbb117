//! Mailed tokens, and the outbox.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, bytes, goes_with_user, index, number, optional_number, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let tokens = Table::create()
            .table("one_time_tokens")
            .col(bytes("hash").primary_key())
            .col(columns.text("purpose"))
            .col(uuid("user_id"))
            .col(columns.text("email_key"))
            .col(number("created_at"))
            .col(number("expires_at"))
            .col(optional_number("ended_at"))
            .foreign_key(&mut goes_with_user("one_time_tokens"))
            .take();
        manager.create_table(tokens).await?;
        let of_user = index("one_time_tokens", "one_time_tokens_user", &["user_id", "purpose", "created_at"]);
        manager.create_index(of_user).await?;
        manager.create_index(index("one_time_tokens", "one_time_tokens_expiry", &["expires_at"])).await?;
        let outbox = Table::create()
            .table("outbox")
            .col(uuid("id").primary_key())
            .col(columns.text("kind"))
            .col(columns.text("email"))
            .col(ColumnDef::new("sealed").blob())
            .col(number("attempts"))
            .col(number("queued_at"))
            .col(number("due_at"))
            .take();
        manager.create_table(outbox).await?;
        manager.create_index(index("outbox", "outbox_due", &["due_at", "id"])).await
    }
}
