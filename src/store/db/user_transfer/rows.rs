//! Many rows in one statement: they travel as one JSON array, so that the statement is the same for any number of them,
//! is prepared once, and knows no limit of parameters.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use serde::Serialize;

/// A column of a table that is filled from JSON.
pub(super) struct Column {
    name: &'static str,
    kind: Kind,
}

/// What a value becomes on its way from JSON into its column.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Number,
    Truth,
    Uuid,
}

pub(super) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// Where the rows go.
pub(super) struct Target {
    pub table: &'static str,
    pub columns: &'static [Column],
}

impl Target {
    /// Inserts the rows.
    pub async fn fill<R: Serialize + Sync>(&self, connection: &impl ConnectionTrait, rows: &[R]) -> Result<(), DbErr> {
        if rows.is_empty() {
            return Ok(());
        }
        connection.execute_raw(self.statement(connection, rows, "")?).await.map(|_| ())
    }

    /// Inserts the rows that are in no other's way; the ids of those.
    pub async fn fill_unless_taken<R: Serialize + Sync>(
        &self,
        connection: &impl ConnectionTrait,
        rows: &[R],
    ) -> Result<Vec<QueryResult>, DbErr> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        connection.query_all_raw(self.statement(connection, rows, " ON CONFLICT DO NOTHING RETURNING id")?).await
    }

    fn statement<R: Serialize>(
        &self,
        connection: &impl ConnectionTrait,
        rows: &[R],
        end: &str,
    ) -> Result<Statement, DbErr> {
        let json = serde_json::to_string(rows).map_err(|error| DbErr::Json(error.to_string()))?;
        let backend = connection.get_database_backend();
        let sql = self.sql(backend) + end;
        Ok(Statement::from_sql_and_values(backend, sql, [Value::from(json)]))
    }

    fn sql(&self, backend: DbBackend) -> String {
        let list = |text: &dyn Fn(&Column) -> String| self.columns.iter().map(text).collect::<Vec<_>>().join(", ");
        let (table, names) = (self.table, list(&|column| column.name.to_owned()));
        if backend == DbBackend::Postgres {
            let typed = list(&|column| format!("{} {}", column.name, column.kind.postgres()));
            let rows = format!("json_to_recordset($1::text::json) AS rows ({typed})");
            return format!("INSERT INTO {table} ({names}) SELECT {names} FROM {rows}");
        }
        let values = list(&Column::of_sqlite);
        // Without a condition ON CONFLICT would be read as one of a join.
        format!("INSERT INTO {table} ({names}) SELECT {values} FROM json_each(?1) WHERE true")
    }
}

impl Column {
    fn of_sqlite(&self) -> String {
        match self.kind {
            Kind::Text | Kind::Number | Kind::Truth => format!("value ->> '{}'", self.name),
            Kind::Uuid => format!("unhex(value ->> '{}', '-')", self.name),
        }
    }
}

impl Kind {
    const fn postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "bigint",
            Self::Truth => "boolean",
            Self::Uuid => "uuid",
        }
    }
}
