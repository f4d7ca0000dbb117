//! Where a session was opened from, for its owner to recognise it by.

use sea_orm_migration::prelude::*;

use super::columns::Columns;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let source = Columns::of(manager).optional_text("source");
        manager.alter_table(Table::alter().table("sessions").add_column(source).take()).await
    }
}
