//! What a Keystead stands on, and the macro that runs a test on each.

use super::settings::MASTER_KEY;
use crate::support::postgres::{self, PostgresServer};
use crate::support::redis::RedisServer;

/// What a Keystead stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The embedded defaults: a file, limits in memory.
    Sqlite,
    /// As in production.
    PostgresRedis,
    /// Without Redis: each replica has its limits in memory, and hears of the others by the database.
    Postgres,
    /// The same with a cluster of its own, for tests that stop it.
    OwnPostgresRedis,
    /// The same with a cluster that takes few connections.
    SmallPostgresRedis,
    /// The same with a cluster on a small disk of its own.
    PostgresOnSmallDiskRedis,
    /// A cluster of its own that logs every plan, and scans a table only where no index serves.
    ExplainedPostgres,
}

impl Backend {
    /// How many replicas can share it: several are supported on PostgreSQL alone.
    pub fn replicas(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::PostgresRedis
            | Self::Postgres
            | Self::OwnPostgresRedis
            | Self::SmallPostgresRedis
            | Self::PostgresOnSmallDiskRedis
            | Self::ExplainedPostgres => 2,
        }
    }
}

/// The servers of one test; they end with it.
pub struct Servers {
    pub redis: Option<RedisServer>,
    pub postgres: Option<PostgresServer>,
    /// `None`: SQLite.
    pub database_url: Option<String>,
}

impl Servers {
    /// Starting servers blocks, so it is done off the async threads.
    pub async fn start(backend: Backend) -> Self {
        tokio::task::spawn_blocking(move || Self::start_blocking(backend)).await.expect("the servers start")
    }

    /// What a binary must be told to stand on them, by the master key of the tests.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY.to_owned())];
        variables.extend(self.database_url.clone().map(|url| ("KEYSTEAD_DATABASE_URL", url)));
        variables.extend(self.redis.as_ref().map(|redis| ("KEYSTEAD_REDIS_URL", redis.url())));
        variables
    }

    /// Empties Redis, where there is one.
    pub fn flush_redis(&self) {
        let Some(redis) = &self.redis else { return };
        assert_eq!(redis.command("FLUSHALL"), "+OK");
    }

    fn with(postgres: PostgresServer, redis: Option<RedisServer>) -> Self {
        let database_url = Some(postgres.fresh_database());
        Self { redis, postgres: Some(postgres), database_url }
    }

    fn start_blocking(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self { redis: None, postgres: None, database_url: None },
            Backend::PostgresRedis => {
                let database_url = Some(postgres::fresh_database());
                Self { redis: Some(RedisServer::start()), postgres: None, database_url }
            }
            Backend::Postgres => Self { redis: None, postgres: None, database_url: Some(postgres::fresh_database()) },
            Backend::OwnPostgresRedis => Self::with(PostgresServer::start(), Some(RedisServer::start())),
            Backend::SmallPostgresRedis => Self::with(PostgresServer::start_small(), Some(RedisServer::start())),
            Backend::PostgresOnSmallDiskRedis => {
                Self::with(PostgresServer::start_on_small_disk(), Some(RedisServer::start()))
            }
            Backend::ExplainedPostgres => Self::with(PostgresServer::start_explaining(), None),
        }
    }
}

/// Turns `async fn name(backend: Backend)` into two tests, `sqlite::name` and `postgres_redis::name`.
macro_rules! on_each_backend {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::harness::Backend::Sqlite).await;
            })+
        }

        mod postgres_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::harness::Backend::PostgresRedis).await;
            })+
        }
    };
}

pub(crate) use on_each_backend;
