//! Roles with their names and descriptions; what an account gained: a revision and a language; and the key of the
//! address that a mail waits for.

use sea_orm_migration::prelude::*;

use super::columns::{Columns, index, number};

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
        manager.create_table(roles).await?;
        manager.execute(built_in_roles()).await?;
        // Whoever asks who has a role, asks for the users of the role.
        manager.create_index(index("user_roles", "user_roles_role", &["role", "user_id"])).await?;
        // Mails of accounts that are deleted go with them. One that waits from before goes when it is delivered.
        let key = Table::alter().table("outbox").add_column(columns.text("email_key").default("")).take();
        manager.alter_table(key).await
    }
}

/// The row of `admin` is also the one that is locked by whoever might take the last administrator away.
fn built_in_roles() -> InsertStatement {
    let mut insert = Query::insert();
    insert.into_table("roles").columns(["name", "description", "built_in", "created_at"]);
    for (name, description) in [
        ("user", "Everybody with an account."),
        ("admin", "Administers accounts, roles, service accounts and keys, and reads the audit trail."),
        ("verifier", "Watches revocations."),
    ] {
        insert.values_panic([name.into(), description.into(), true.into(), 0_i64.into()]);
    }
    insert
}
