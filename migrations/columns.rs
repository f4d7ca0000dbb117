//! Columns as every table here has them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// Makes the columns of one table.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    backend: DbBackend,
}

impl Columns {
    pub(super) fn of(manager: &SchemaManager<'_>) -> Self {
        Self { backend: manager.get_database_backend() }
    }

    /// Text that is compared byte by byte, as SQLite does by default: no locale decides what is equal or first.
    pub(super) fn text(self, name: &'static str) -> ColumnDef {
        let mut column = self.optional_text(name);
        column.not_null();
        column
    }

    pub(super) fn optional_text(self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.text();
        if self.backend == DbBackend::Postgres {
            column.extra("COLLATE \"C\"");
        }
        column
    }
}

/// A moment in milliseconds since the Unix epoch, or a count.
pub(super) fn number(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer().not_null();
    column
}

pub(super) fn optional_number(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.big_integer();
    column
}

pub(super) fn uuid(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.uuid().not_null();
    column
}

pub(super) fn bytes(name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.blob().not_null();
    column
}

/// The rows of `table` go with the user that `user_id` names.
pub(super) fn goes_with_user(table: &'static str) -> ForeignKeyCreateStatement {
    let mut key = ForeignKey::create();
    key.from(table, "user_id").to("users", "id").on_delete(ForeignKeyAction::Cascade);
    key
}

pub(super) fn index(table: &'static str, name: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
