//! Accounts and their roles.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, goes_with_user, index, number, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let users = Table::create()
            .table("users")
            .col(uuid("id").primary_key())
            .col(columns.text("email"))
            .col(columns.text("email_key"))
            .col(ColumnDef::new("email_verified").boolean().not_null())
            .col(columns.text("display_name"))
            .col(columns.text("state"))
            .col(number("epoch"))
            .col(columns.optional_text("password_hash"))
            .col(number("created_at"))
            .col(number("updated_at"))
            .take();
        manager.create_table(users).await?;
        manager.create_index(index("users", "users_email_key", &["email_key"]).unique().take()).await?;
        let roles = Table::create()
            .table("user_roles")
            .col(uuid("user_id"))
            .col(columns.text("role"))
            .primary_key(Index::create().col("user_id").col("role"))
            .foreign_key(&mut goes_with_user("user_roles"))
            .take();
        manager.create_table(roles).await
    }
}
