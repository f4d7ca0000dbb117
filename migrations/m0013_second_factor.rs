//! Second factors, recovery codes, and the sign-ins that wait for one.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, bytes, goes_with_user, index, number, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        let factors = Table::create()
            .table("totp_factors")
            .col(uuid("user_id").primary_key())
            .col(bytes("sealed"))
            .col(number("enrolled_at"))
            .col(number("last_step"))
            .col(number("failures"))
            .foreign_key(&mut goes_with_user("totp_factors"))
            .take();
        manager.create_table(factors).await?;
        let codes = Table::create()
            .table("recovery_codes")
            .col(uuid("user_id"))
            .col(bytes("hash"))
            .primary_key(Index::create().col("user_id").col("hash"))
            .foreign_key(&mut goes_with_user("recovery_codes"))
            .take();
        manager.create_table(codes).await?;
        let challenges = Table::create()
            .table("sign_in_challenges")
            .col(bytes("hash").primary_key())
            .col(uuid("user_id"))
            .col(number("user_epoch"))
            .col(columns.text("methods"))
            .col(columns.text("audience"))
            .col(columns.text("device_name"))
            .col(number("tries"))
            .col(number("expires_at"))
            .foreign_key(&mut goes_with_user("sign_in_challenges"))
            .take();
        manager.create_table(challenges).await?;
        manager.create_index(index("sign_in_challenges", "sign_in_challenges_user", &["user_id"])).await?;
        manager.create_index(index("sign_in_challenges", "sign_in_challenges_expiry", &["expires_at"])).await
    }
}
