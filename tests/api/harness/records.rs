//! What lies in the database, read and written past the service, for tests of what is at rest.

use keystead::domain::clock::Entropy as _;
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, QueryResult, Statement};

/// A connection of the test's own to the database of a Keystead.
pub struct Records(DatabaseConnection);

impl Records {
    pub async fn open(url: &str) -> Self {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        Self(Database::connect(options).await.expect("the database answers"))
    }

    pub fn is_sqlite(&self) -> bool {
        self.0.get_database_backend() == DbBackend::Sqlite
    }

    pub async fn execute(&self, sql: &str) {
        self.0.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        let statement = Statement::from_string(self.0.get_database_backend(), sql);
        self.0.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The one text of each row.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        self.rows(sql).await.iter().map(|row| row.try_get_by_index(0).expect("a text")).collect()
    }

    /// The rows that a table, and a condition after it, have.
    pub async fn count(&self, from: &str) -> i64 {
        let rows = self.rows(&format!("SELECT COUNT(*) FROM {from}")).await;
        rows[0].try_get_by_index(0).expect("a number")
    }

    pub async fn tables(&self) -> Vec<String> {
        let sql = if self.is_sqlite() {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        } else {
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        };
        self.texts(sql).await
    }

    /// Every row of every table as text; bytes in hexadecimal.
    pub async fn dump(&self) -> String {
        let mut dump = String::new();
        for table in self.tables().await {
            let sql = if self.is_sqlite() {
                let columns = format!("SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')");
                format!("SELECT {} FROM \"{table}\"", self.texts(&columns).await.join(" || ', ' || "))
            } else {
                format!("SELECT row_to_json(t)::text FROM \"{table}\" t")
            };
            for row in self.texts(&sql).await {
                dump.extend([&table, ": ", &row, "\n"]);
            }
        }
        dump
    }
}

/// A word that nothing else holds, for a secret that must be found nowhere.
pub fn canary(name: &str) -> String {
    let mut bytes = [0; 12];
    keystead::app::system::SystemEntropy::new().fill(&mut bytes);
    format!("{name}{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
