//! The database: its pools, and the one way in which every operation runs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx;
use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait as _,
};

use super::connect::{self, Pools};
use super::doubt::Doubt;
use super::fault::Fault;
use super::settings::Settings;
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::ports::{Probe, StoreError, StoreResult};

/// The clock of the server, in milliseconds since the Unix epoch.
const SERVER_TIME: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/// A standby, and a server that was set so, begin transactions in which nothing can be changed.
const TAKES_CHANGES: &str = "SELECT current_setting('transaction_read_only') = 'off'";
/// The longest pause before another try; pauses grow up to it.
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// A connected database. Cheap to clone; clones share the pools.
#[derive(Clone)]
pub struct Database {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    pub(super) entropy: Arc<dyn Entropy>,
    operation_timeout: Duration,
    doubt: Doubt,
}

/// The use that is made of a pool of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    pub name: &'static str,
    /// Connections that are open.
    pub open: usize,
    /// Of these, the ones that nobody uses.
    pub idle: usize,
    /// How many may be open at once.
    pub most: usize,
}

impl PoolUse {
    fn of<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            name,
            open: count(pool.size()),
            idle: pool.num_idle(),
            most: count(pool.options().get_max_connections()),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("backend", &self.backend()).finish_non_exhaustive()
    }
}

impl Database {
    /// Connects. `Unavailable` where the database does not answer within the time to acquire a connection, or the
    /// settings are not valid ([`Settings::validate`] says what is wrong).
    pub async fn connect(settings: &Settings, entropy: Arc<dyn Entropy>) -> StoreResult<Self> {
        let opened = connect::open(settings).await;
        let pools =
            opened.map_err(|error| Fault::from(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))).report())?;
        Ok(Self::new(pools, entropy, settings))
    }

    pub(super) fn new(pools: Pools, entropy: Arc<dyn Entropy>, settings: &Settings) -> Self {
        let Pools { writer, reader, doubt } = pools;
        Self { writer, reader, entropy, operation_timeout: settings.operation_timeout, doubt }
    }

    /// Closes the pools: waits until every connection is given back, then folds SQLite's log into its file.
    pub async fn close(self) -> StoreResult<()> {
        let reader = self.reader.close().await;
        let writer = self.writer.close().await;
        reader.and(writer).map_err(|error| Fault::from(error).report())
    }

    /// The use that is made of each pool of connections.
    pub fn pools(&self) -> Vec<PoolUse> {
        match self.backend() {
            DbBackend::Sqlite => vec![
                PoolUse::of("writer", self.writer.get_sqlite_connection_pool()),
                PoolUse::of("reader", self.reader.get_sqlite_connection_pool()),
            ],
            DbBackend::Postgres | DbBackend::MySql | _ => {
                vec![PoolUse::of("all", self.writer.get_postgres_connection_pool())]
            }
        }
    }

    pub(super) fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// Begins a transaction that writes; dropped without a commit it is rolled back. SQLite takes its write lock at
    /// once: a reader that turns writer half-way can only fail.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, Fault> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Runs an operation under the deadline, again and again while concurrent ones get in its way.
    pub(super) async fn run<T, F, O>(&self, operation: O) -> StoreResult<T>
    where
        O: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T, Fault>> + Send,
    {
        self.run_within(self.operation_timeout, operation).await
    }

    /// The same for an operation that may take longer.
    pub(super) async fn run_within<T, F, O>(&self, allowed: Duration, operation: O) -> StoreResult<T>
    where
        O: Fn() -> F + Send + Sync,
        F: Future<Output = Result<T, Fault>> + Send,
    {
        let mut tries = 0;
        let attempts = Box::pin(async {
            loop {
                match operation().await {
                    Err(fault) if fault.is_contention() => {
                        tries += 1;
                        tokio::time::sleep(self.pause(tries)).await;
                    }
                    outcome => return outcome.map_err(|fault| fault.report()),
                }
            }
        });
        // In this order: the doubt is raised before the connection is given back.
        let mut under_way = (self.doubt.unless_ended(), attempts);
        let outcome = tokio::time::timeout(allowed, under_way.1.as_mut()).await;
        if outcome.is_ok() {
            under_way.0.ended();
        }
        drop(under_way);
        outcome.unwrap_or_else(|_| Err(out_of_time(tries)))
    }

    async fn try_time(&self) -> Result<Option<Timestamp>, Fault> {
        let ask = match self.backend() {
            DbBackend::Postgres => SERVER_TIME,
            DbBackend::Sqlite | DbBackend::MySql | _ => "SELECT NULL",
        };
        let row = self.reader.query_one_raw(Statement::from_string(self.backend(), ask)).await?;
        let millis: Option<i64> = row.ok_or(Fault::Corrupt("answer to a probe"))?.try_get_by_index(0)?;
        Ok(millis.map(Timestamp::from_millis))
    }

    async fn try_takes_changes(&self) -> Result<bool, Fault> {
        if self.backend() != DbBackend::Postgres {
            return Ok(true);
        }
        let row = self.writer.query_one_raw(Statement::from_string(self.backend(), TAKES_CHANGES)).await?;
        Ok(row.ok_or(Fault::Corrupt("answer to a probe"))?.try_get_by_index(0)?)
    }

    /// A random pause that may double with each try, so that those who collided do not do so again.
    pub(super) fn pause(&self, tries: u32) -> Duration {
        let mut random = [0];
        self.entropy.fill(&mut random);
        let ceiling = Duration::from_millis(2).saturating_mul(1 << tries.min(8)).min(MAX_PAUSE);
        ceiling.saturating_mul(u32::from(random[0])) / u32::from(u8::MAX)
    }
}

fn out_of_time(tries: u32) -> StoreError {
    if tries > 0 {
        return StoreError::Conflict;
    }
    tracing::warn!("the database does not answer in time");
    StoreError::Unavailable
}

#[async_trait]
impl Probe for Database {
    async fn time(&self) -> StoreResult<Option<Timestamp>> {
        self.run(|| self.try_time()).await
    }

    async fn takes_changes(&self) -> StoreResult<bool> {
        self.run(|| self.try_takes_changes()).await
    }
}
