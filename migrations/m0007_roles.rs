//! Roles with their names and descriptions, and what an account gained: a revision and a language.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, number};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let revision = Table::alter().table("users").add_column(number("revision").default(0)).take();
        manager.alter_table(revision).await?;
        let language = Table::alter().table("users").add_column(columns.text("language").default("")).take();
        manager.alter_table(language).await?;
        let roles = Table::create()
            .table("roles")
            .col(columns.text("name").primary_key())
            .col(columns.text("description"))
            .col(ColumnDef::new("built_in").boolean().not_null())
            .col(number("created_at"))
            .take();
        manager.create_table(roles).await
    }
}
