//! Opens the pools of connections.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::DatabaseConnection;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection as _};

use super::doubt::Doubt;
use super::settings::{Settings, Target};

/// A connection that lay idle for longer is tried before it is used: the server may have gone.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// An idle connection that takes longer to answer is replaced: there is time left to make another.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// Idle connections are given back after this.
const IDLE_TIMEOUT: Duration = Duration::from_mins(5);
/// No connection gets older: a failover or a rebalance is followed in the end.
const MAX_LIFETIME: Duration = Duration::from_mins(30);
/// PostgreSQL ends a transaction that a vanished replica left open, and its locks with it.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);

/// Where to read and where to write: one pool on PostgreSQL, two on SQLite.
pub(super) struct Pools {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    pub(super) doubt: Doubt,
}

pub(super) async fn open(settings: &Settings) -> Result<Pools, sqlx::Error> {
    let target = settings.target().map_err(|fault| sqlx::Error::Configuration(fault.into()))?;
    match target {
        Target::Sqlite(path) => open_sqlite(&path, settings).await,
        Target::Postgres(options) => open_postgres(*options, settings).await,
    }
}

/// Pools by which nothing can be changed, of one connection each.
pub(super) async fn open_read_only(settings: &Settings) -> Result<Pools, sqlx::Error> {
    let target = settings.target().map_err(|fault| sqlx::Error::Configuration(fault.into()))?;
    let settings = Settings { max_connections: 1, ..settings.clone() };
    match target {
        Target::Sqlite(path) => {
            // Without a log nobody writes, and what SQLite makes beside the file to read it under one is not needed.
            let has_log = log_of(&path).exists();
            let options = SqliteConnectOptions::new().filename(&path).read_only(true).immutable(!has_log);
            let pool = SqlitePoolOptions::new().acquire_timeout(settings.acquire_timeout).max_connections(1);
            let pool = DatabaseConnection::from(pool.connect_with(options.disable_statement_logging()).await?);
            Ok(Pools { writer: pool.clone(), reader: pool, doubt: Doubt::default() })
        }
        Target::Postgres(options) => {
            open_postgres((*options).options([("default_transaction_read_only", "on")]), &settings).await
        }
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

async fn open_postgres(options: PgConnectOptions, settings: &Settings) -> Result<Pools, sqlx::Error> {
    let options = options.application_name("keystead").disable_statement_logging().options([
        ("statement_timeout", settings.operation_timeout.as_millis().to_string()),
        // Who holds a lock for so long is in the way: the operation tries again, and says what it met in the end.
        ("lock_timeout", (settings.operation_timeout / 3).as_millis().to_string()),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION.as_millis().to_string()),
    ]);
    let doubt = Doubt::default();
    let (given_back, statement_ends) = (doubt.clone(), settings.operation_timeout * 2);
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        .test_before_acquire(false)
        .before_acquire(|connection, usage| {
            Box::pin(async move {
                if usage.idle_for > TRUSTED_IDLE {
                    answers(connection, PING_TIMEOUT).await?;
                }
                Ok(true)
            })
        })
        // The driver tries every connection that is given back, without a limit: one that is silent would keep its
        // place in the pool for as long as TCP hopes for it, which is a quarter of an hour. One whose server is still at
        // what was given up answers when the server ends that.
        .after_release(move |connection, _| {
            let doubt = given_back.clone();
            Box::pin(async move {
                if doubt.is_raised() {
                    answers(connection, statement_ends).await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    let pool = DatabaseConnection::from(pool);
    Ok(Pools { writer: pool.clone(), reader: pool, doubt })
}

async fn answers(connection: &mut PgConnection, limit: Duration) -> Result<(), sqlx::Error> {
    tokio::time::timeout(limit, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// One writer, so that nobody waits for the file's lock with a turn in hand, and readers that never wait for it.
async fn open_sqlite(path: &Path, settings: &Settings) -> Result<Pools, sqlx::Error> {
    create_private(path).await?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        // Another process may hold the lock; between two tries others who write have their turn.
        .busy_timeout(settings.operation_timeout / 6)
        // What was acknowledged is there after a power cut: in WAL mode only FULL syncs the log at each commit.
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let pool = || SqlitePoolOptions::new().acquire_timeout(settings.acquire_timeout).test_before_acquire(false);
    let writer = pool().max_connections(1).after_release(|connection, _| Box::pin(is_in_step(connection)));
    let writer = writer.connect_with(options.clone().journal_mode(SqliteJournalMode::Wal)).await?;
    let reader = pool().max_connections(settings.max_connections).connect_with(options.read_only(true)).await?;
    Ok(Pools { writer: writer.into(), reader: reader.into(), doubt: Doubt::default() })
}

/// Whether a connection that is given back has no transaction. Where the disk is full SQLite rolls back by itself, and
/// the driver goes on counting a transaction: its next ones would be parts of one that nobody ever commits, and what they
/// hold would be acknowledged and lost.
async fn is_in_step(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // Behind the rollback of a transaction that was dropped.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Creates the file for its owner alone; SQLite gives its log the same mode.
async fn create_private(path: &Path) -> Result<(), sqlx::Error> {
    tokio::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).await.map(|_| ()).map_err(Into::into)
}
