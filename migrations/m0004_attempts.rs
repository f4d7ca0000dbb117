//! Failures in a row and known sources, under keys that name nobody.

use sea_orm_migration::prelude::*;

use super::columns::{bytes, index, number};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let failures = Table::create()
            .table("login_failures")
            .col(bytes("account_key").primary_key())
            .col(number("failures"))
            .col(number("updated_at"))
            .take();
        manager.create_table(failures).await?;
        manager.create_index(index("login_failures", "login_failures_age", &["updated_at"])).await?;
        let sources = Table::create()
            .table("known_sources")
            .col(bytes("account_key"))
            .col(bytes("source_key"))
            .col(number("last_seen_at"))
            .primary_key(Index::create().col("account_key").col("source_key"))
            .take();
        manager.create_table(sources).await?;
        manager.create_index(index("known_sources", "known_sources_age", &["last_seen_at"])).await
    }
}
