//! Service accounts, their roles, and the hashes of their secrets.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, bytes, index, number, optional_number, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let accounts = Table::create()
            .table("service_accounts")
            .col(uuid("id").primary_key())
            .col(columns.text("display_name"))
            .col(columns.text("audiences"))
            .col(number("epoch"))
            .col(number("created_at"))
            .take();
        manager.create_table(accounts).await?;
        let roles = Table::create()
            .table("service_account_roles")
            .col(uuid("service_account_id"))
            .col(columns.text("role"))
            .primary_key(Index::create().col("service_account_id").col("role"))
            .foreign_key(&mut goes_with_account("service_account_roles"))
            .take();
        manager.create_table(roles).await?;
        let of_role = index("service_account_roles", "service_account_roles_role", &["role"]);
        manager.create_index(of_role).await?;
        let secrets = Table::create()
            .table("service_account_secrets")
            .col(bytes("hash").primary_key())
            .col(uuid("service_account_id"))
            .col(number("created_at"))
            .col(optional_number("expires_at"))
            .foreign_key(&mut goes_with_account("service_account_secrets"))
            .take();
        manager.create_table(secrets).await?;
        let of_account = index("service_account_secrets", "service_account_secrets_account", &["service_account_id"]);
        manager.create_index(of_account).await
    }
}

fn goes_with_account(table: &'static str) -> ForeignKeyCreateStatement {
    let mut key = ForeignKey::create();
    key.from(table, "service_account_id").to("service_accounts", "id").on_delete(ForeignKeyAction::Cascade);
    key
}
