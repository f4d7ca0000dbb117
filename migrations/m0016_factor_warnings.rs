//! When the owner of a second factor was last warned of wrong codes, so that guesses do not fill their mailbox.

use sea_orm_migration::prelude::*;

use super::columns::optional_number;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let warned_at = optional_number("warned_at");
        manager.alter_table(Table::alter().table("totp_factors").add_column(warned_at).take()).await
    }
}
