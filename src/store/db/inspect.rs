//! Looks at the database without changing anything: no file is made, nothing migrated, nothing written.

use std::path::Path;
use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, DbBackend, DbErr, RuntimeErr, Statement};
use sea_orm_migration::SchemaManager;

use super::connect;
use super::database::Database;
use super::fault::{self, Fault};
use super::schema::SchemaState;
use super::settings::{Settings, Target};
use crate::domain::clock::Entropy;
use crate::domain::ports::StoreResult;

const SERVER_VERSION: &str = "SHOW server_version";
const SQLITE_VERSION: &str = "SELECT sqlite_version()";
const ENCRYPTION: &str = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
const IS_STANDBY: &str = "SELECT pg_is_in_recovery()";
/// Of the table that every call may write to; without a schema yet, whether one may be made.
const MAY_WRITE: &str = "SELECT coalesce(has_table_privilege(to_regclass('sessions'), 'INSERT, UPDATE'), \
                         has_schema_privilege(current_schema(), 'CREATE'))";
const MAY_MIGRATE: &str = "SELECT has_schema_privilege(current_schema(), 'CREATE')";

/// What a database says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its name and version.
    pub product: String,
    /// The version of TLS on the way there; `None` in clear text, and with a file.
    pub encryption: Option<String>,
    /// Why the service could not write, where it could not.
    pub unwritable: Option<&'static str>,
    pub schema: SchemaState,
}

/// Why there is nothing to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// An SQLite file that is not there yet.
    #[error("there is no such file yet")]
    Missing,
    /// A code of the driver's, never its message.
    #[error("{0}")]
    Refused(String),
}

impl Database {
    /// Connects so that whatever is done afterwards changes nothing.
    pub async fn connect_read_only(settings: &Settings, entropy: Arc<dyn Entropy>) -> Result<Self, Unreachable> {
        if settings.sqlite_file().is_some_and(|path| !path.exists()) {
            return Err(Unreachable::Missing);
        }
        let pools = connect::open_read_only(settings)
            .await
            .map_err(|error| Unreachable::Refused(fault::code(&DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))))?;
        Ok(Self::new(pools, entropy, settings))
    }

    /// What the database says of itself. `settings` are those that it was connected by.
    pub async fn inspect(&self, settings: &Settings) -> StoreResult<Inspection> {
        self.run(|| self.try_inspect(settings)).await
    }

    async fn try_inspect(&self, settings: &Settings) -> Result<Inspection, Fault> {
        let schema = SchemaState::read(&SchemaManager::new(&self.reader)).await?;
        let target = settings.target().map_err(|_| Fault::Corrupt("settings"))?;
        let (product, encryption, unwritable) = match target {
            Target::Sqlite(path) => {
                let version = self.text(SQLITE_VERSION).await?.unwrap_or_default();
                (format!("SQLite {version}"), None, unwritable_file(&path))
            }
            Target::Postgres(_) => {
                let version = self.text(SERVER_VERSION).await?.unwrap_or_default();
                let version = version.split(' ').next().unwrap_or_default();
                let encryption = self.text(ENCRYPTION).await?;
                (
                    format!("PostgreSQL {version}"),
                    encryption,
                    self.unwritable_server(matches!(schema, SchemaState::Behind(_))).await?,
                )
            }
        };
        Ok(Inspection { product, encryption, unwritable, schema })
    }

    async fn unwritable_server(&self, must_migrate: bool) -> Result<Option<&'static str>, Fault> {
        if self.truth(IS_STANDBY).await? {
            return Ok(Some("the server is a standby, which cannot write"));
        }
        if !self.truth(MAY_WRITE).await? {
            return Ok(Some("the database's user may not write to the tables"));
        }
        if must_migrate && !self.truth(MAY_MIGRATE).await? {
            return Ok(Some("the database's user may not make tables, which pending steps need"));
        }
        Ok(None)
    }

    async fn text(&self, query: &str) -> Result<Option<String>, Fault> {
        let row = self.reader.query_one_raw(Statement::from_string(self.backend(), query)).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?)
    }

    /// `NULL` is no truth.
    async fn truth(&self, query: &str) -> Result<bool, Fault> {
        let row = self.reader.query_one_raw(Statement::from_string(DbBackend::Postgres, query)).await?;
        let truth: Option<bool> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
        Ok(truth.unwrap_or(false))
    }
}

/// SQLite makes its log beside the file, so that the folder counts as well.
#[cfg(target_os = "linux")]
fn unwritable_file(path: &Path) -> Option<&'static str> {
    use rustix::fs::{Access, access};

    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if access(path, Access::WRITE_OK).is_err() {
        return Some("the file cannot be written to");
    }
    access(folder, Access::WRITE_OK).is_err().then_some("the file's folder cannot be written to")
}

#[cfg(not(target_os = "linux"))]
fn unwritable_file(path: &Path) -> Option<&'static str> {
    let is_read_only = std::fs::metadata(path).is_ok_and(|file| file.permissions().readonly());
    is_read_only.then_some("the file cannot be written to")
}
