//! Server keys, sealed, and the version that a change of them must name.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, bytes, number};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let keys = Table::create()
            .table("server_keys")
            .col(columns.text("id").primary_key())
            .col(columns.text("purpose"))
            .col(columns.optional_text("algorithm"))
            .col(columns.text("state"))
            .col(bytes("sealed"))
            .col(number("created_at"))
            .col(number("state_since"))
            .take();
        manager.create_table(keys).await?;
        let ring = Table::create().table("key_ring").col(number("id").primary_key()).col(number("version")).take();
        manager.create_table(ring).await?;
        let first =
            Query::insert().into_table("key_ring").columns(["id", "version"]).values_panic([1.into(), 0.into()]).take();
        manager.get_connection().execute(&first).await.map(|_| ())
    }
}
