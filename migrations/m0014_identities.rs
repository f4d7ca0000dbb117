//! Identities at providers, those that were taken from accounts, and the sign-ins there that are under way.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, bytes, goes_with_user, index, number, optional_number, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let identities = Table::create()
            .table("identities")
            .col(columns.text("issuer"))
            .col(columns.text("subject"))
            .col(uuid("id").unique_key())
            .col(columns.text("provider"))
            .col(uuid("user_id"))
            .col(number("linked_at"))
            .primary_key(Index::create().col("issuer").col("subject"))
            .foreign_key(&mut goes_with_user("identities"))
            .take();
        manager.create_table(identities).await?;
        manager.create_index(index("identities", "identities_user", &["user_id"])).await?;
        let unlinked = Table::create()
            .table("unlinked_identities")
            .col(uuid("user_id"))
            .col(columns.text("issuer"))
            .col(columns.text("subject"))
            .primary_key(Index::create().col("user_id").col("issuer").col("subject"))
            .foreign_key(&mut goes_with_user("unlinked_identities"))
            .take();
        manager.create_table(unlinked).await?;
        let flows = Table::create()
            .table("oauth_flows")
            .col(bytes("state").primary_key())
            .col(columns.text("provider"))
            .col(columns.text("redirect_uri"))
            .col(columns.text("challenge"))
            .col(ColumnDef::new("browser").blob())
            .col(ColumnDef::new("user_id").uuid())
            .col(ColumnDef::new("session_id").uuid())
            .col(bytes("sealed_secrets"))
            .col(ColumnDef::new("code").blob())
            .col(optional_number("code_expires_at"))
            .col(ColumnDef::new("sealed_answer").blob())
            .col(number("expires_at"))
            .foreign_key(&mut goes_with_user("oauth_flows"))
            .take();
        manager.create_table(flows).await?;
        manager.create_index(index("oauth_flows", "oauth_flows_user", &["user_id"])).await?;
        manager.create_index(index("oauth_flows", "oauth_flows_expiry", &["expires_at"])).await
    }
}
