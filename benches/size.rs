//! D1: what a user and a session take in the database.

use std::path::Path;

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::Found;
use crate::api;
use crate::import::{self, ARGON2};
use crate::keystead::Installation;
use crate::report::Figure;
use crate::sql;
use crate::support::postgres;

/// As many users, and as many sessions.
const ROWS: u32 = 1_000_000;
/// In bytes, all indexes counted: a gigabyte for every million users with their sessions.
const USER: f64 = 1_100.0;
const SESSION: f64 = 400.0;

/// Sixteen bytes in the order of time, as the service's ids are.
const ID_POSTGRES: &str = "(lpad(to_hex(1700000000000 + u.n), 12, '0') || '7' || \
                           substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid";
const ID_SQLITE: &str = "CAST(printf('%010d', u.n) || hex(randomblob(3)) AS BLOB)";

const SIZE_POSTGRES: &str = "SELECT pg_database_size(current_database())";
const SIZE_SQLITE: &str = "PRAGMA wal_checkpoint(TRUNCATE); SELECT page_count * page_size FROM pragma_page_count, \
                           pragma_page_size";

pub async fn measure() -> Result<Found> {
    let folder = TempDir::new()?;
    let file = folder.path().join("users.ndjson");
    import::write_rows(&file, ROWS, ARGON2)?;
    let mut figures = Vec::new();
    for kind in [Kind::postgres()?, Kind::sqlite()?] {
        let name = kind.name;
        let [user, session] = kind.fill(&file).await?;
        figures.push(Figure::at_most("D1", user_on(name), "B", USER, &[user]));
        figures.push(Figure::at_most("D1", session_on(name), "B", SESSION, &[session]));
    }
    Ok(Found { figures, plots: Vec::new() })
}

const fn user_on(database: Name) -> &'static str {
    match database {
        Name::Postgres => "a user with an address, a hash, a role and an event, on PostgreSQL",
        Name::Sqlite => "the same on SQLite",
    }
}

const fn session_on(database: Name) -> &'static str {
    match database {
        Name::Postgres => "a session, on PostgreSQL",
        Name::Sqlite => "a session, on SQLite",
    }
}

#[derive(Clone, Copy)]
enum Name {
    Postgres,
    Sqlite,
}

/// A database of a kind, empty.
struct Kind {
    name: Name,
    installation: Installation,
    url: String,
}

impl Kind {
    fn postgres() -> Result<Self> {
        let url = postgres::fresh_database();
        Ok(Self { name: Name::Postgres, installation: Installation::postgres(&url)?, url })
    }

    fn sqlite() -> Result<Self> {
        Ok(Self { name: Name::Sqlite, installation: Installation::sqlite()?, url: String::new() })
    }

    async fn run(&self, statements: &str) -> Result<String> {
        match self.name {
            Name::Postgres => sql::run(&self.url, statements).await,
            Name::Sqlite => sql::run_sqlite(&self.installation.sqlite_file(), statements).await,
        }
    }

    /// In bytes.
    async fn size(&self) -> Result<f64> {
        let told = match self.name {
            Name::Postgres => {
                self.run("VACUUM ANALYZE").await?;
                self.run(SIZE_POSTGRES).await?
            }
            Name::Sqlite => self.run(SIZE_SQLITE).await?,
        };
        Ok(told.lines().last().unwrap_or_default().parse()?)
    }

    /// Takes the users in and gives each a session; bytes of a user and of a session.
    async fn fill(&self, file: &Path) -> Result<[f64; 2]> {
        self.installation.migrate().await?;
        let keystead = self.installation.start().await?;
        api::register_all(&keystead, 1).await?;
        drop(keystead);
        let empty = self.size().await?;
        self.installation.import(file).await?;
        let users = self.size().await?;
        self.run(&self.sessions()).await?;
        let sessions = self.size().await?;
        let counted = self.run("SELECT count(*) FROM users UNION ALL SELECT count(*) FROM sessions").await?;
        ensure!(counted.lines().all(|count| count.parse().is_ok_and(|count: u32| count > ROWS)), "all are in");
        Ok([(users - empty) / f64::from(ROWS), (sessions - users) / f64::from(ROWS)])
    }

    /// Copies of the first session, one a user, of users in an order that is not theirs and of times that differ, as indexes
    /// have it in life.
    fn sessions(&self) -> String {
        let id = match self.name {
            Name::Postgres => ID_POSTGRES,
            Name::Sqlite => ID_SQLITE,
        };
        format!(
            "INSERT INTO sessions (id, user_id, generation, salt, refresh_key_id, audience, methods, device_name, \
             authenticated_at, rotated_at, idle_expires_at, expires_at, ended_at, source) \
             SELECT {id}, u.id, s.generation, s.salt, s.refresh_key_id, s.audience, s.methods, 'Firefox on Linux', \
             s.authenticated_at + u.n, s.rotated_at + u.n, s.idle_expires_at + u.n, s.expires_at + u.n, s.ended_at, \
             s.source FROM (SELECT id, row_number() OVER (ORDER BY email_key) AS n FROM users) u, \
             (SELECT * FROM sessions LIMIT 1) s"
        )
    }
}
