//! What other services call the accounts that have come from them.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, index};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Columns::of(manager).optional_text("external_id");
        manager.alter_table(Table::alter().table("users").add_column(column).take()).await?;
        // Accounts without one are not alike: NULL equals nothing, in both databases.
        manager.create_index(index("users", "users_external_id", &["external_id"]).unique().take()).await
    }
}
