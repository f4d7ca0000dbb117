//! Whom a waiting mail is about, what it tells of, and the address that a mailed token gives.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, index, optional_number};

/// SQLite adds a foreign key together with its column only.
const GOES_WITH_USER: &str = "REFERENCES users (id) ON DELETE CASCADE";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let mut user_id = ColumnDef::new("user_id");
        user_id.uuid().extra(GOES_WITH_USER);
        let of_outbox =
            [user_id, optional_number("user_epoch"), columns.optional_text("source"), columns.optional_text("device")];
        for column in of_outbox {
            manager.alter_table(Table::alter().table("outbox").add_column(column).take()).await?;
        }
        manager.create_index(index("outbox", "outbox_user", &["user_id"])).await?;
        manager.create_index(index("outbox", "outbox_email_key", &["email_key"])).await?;
        for column in [columns.optional_text("new_email"), optional_number("user_epoch")] {
            manager.alter_table(Table::alter().table("one_time_tokens").add_column(column).take()).await?;
        }
        Ok(())
    }
}
