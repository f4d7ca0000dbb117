//! Looks past the service, at what lies in its database.

use sea_orm::{ConnectOptions, ConnectionTrait as _, DatabaseConnection};

/// A connection of the test's own.
pub struct Rows(DatabaseConnection);

impl Rows {
    pub async fn connect(url: &str) -> Self {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1);
        Self(sea_orm::Database::connect(options).await.expect("the database answers"))
    }

    /// The one number that the query gives.
    pub async fn number(&self, query: &str) -> i64 {
        let row = self.0.query_one_raw(sea_orm::Statement::from_string(self.0.get_database_backend(), query)).await;
        let row = row.expect("the query is well-formed").expect("the query gives a row");
        row.try_get_by_index(0).expect("the query gives a number")
    }

    /// Makes an account an administrator without anybody's word, as only the first one is made.
    pub async fn make_administrator(&self, email: &str) {
        let query =
            format!("INSERT INTO user_roles (user_id, role) SELECT id, 'admin' FROM users WHERE email_key = '{email}'");
        let done = self.0.execute_unprepared(&query).await.expect("the query is well-formed");
        assert_eq!(done.rows_affected(), 1, "{email} has an account");
    }

    /// Takes an account's administration away past the service, which is told nothing.
    pub async fn take_administration(&self, email: &str) {
        let owner = format!("(SELECT id FROM users WHERE email = '{email}')");
        let query = format!("DELETE FROM user_roles WHERE role = 'admin' AND user_id = {owner}");
        let done = self.0.execute_unprepared(&query).await.expect("the query is well-formed");
        assert_eq!(done.rows_affected(), 1, "{email} has the role");
    }

    /// Changes rows past the service.
    pub async fn execute(&self, query: &str) {
        self.0.execute_unprepared(query).await.expect("the query is well-formed");
    }

    /// How many events of a kind the audit trail holds.
    pub async fn events(&self, kind: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM audit_events WHERE kind = '{kind}'")).await
    }

    /// How many sessions have not ended.
    pub async fn live_sessions(&self) -> i64 {
        self.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await
    }
}
