//! Connections to one server or to a cluster, behind one face.

use std::time::Duration;

use deadpool_redis::redis::aio::ConnectionLike;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, ServerErrorKind, Value,
};
use deadpool_redis::{Manager, PoolError, Runtime, Timeouts};

use super::address::Address;
use super::cluster::{self, ClusterManager};
use super::{Settings, SettingsFault};

/// How long making a connection may take. A request does not wait for so long; a probe does.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A bounded number of connections, made when they are needed.
pub enum Pool {
    Single(deadpool_redis::Pool),
    Cluster(cluster::Pool),
}

impl Pool {
    /// Connects to nobody yet.
    pub fn new(address: &Address, settings: &Settings) -> Result<Self, SettingsFault> {
        let timeouts =
            Timeouts { wait: Some(settings.timeout), create: Some(CONNECT_TIMEOUT), recycle: Some(settings.timeout) };
        if address.is_cluster {
            let manager = ClusterManager::new(address).map_err(|_| SettingsFault::Url)?;
            let pool = cluster::Pool::builder(manager).max_size(settings.max_connections).timeouts(timeouts);
            return pool.runtime(Runtime::Tokio1).build().map(Self::Cluster).map_err(|_| SettingsFault::Connections);
        }
        let node = address.nodes.first().ok_or(SettingsFault::Url)?.clone();
        // Bounded by whoever asks: a response that a request gave up on may still serve a probe.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONNECT_TIMEOUT));
        let manager = Manager::new_with_config(node, config).map_err(|_| SettingsFault::Url)?;
        let pool = deadpool_redis::Pool::builder(manager).max_size(settings.max_connections).timeouts(timeouts);
        pool.runtime(Runtime::Tokio1).build().map(Self::Single).map_err(|_| SettingsFault::Connections)
    }

    /// Connections that are open, and how many may be.
    pub fn connections(&self) -> (usize, usize) {
        let status = match self {
            Self::Single(pool) => pool.status(),
            Self::Cluster(pool) => pool.status(),
        };
        (status.size, status.max_size)
    }

    /// Closes the connections that nobody uses; the next ones are made anew, to where the address leads by then.
    pub fn disconnect(&self) {
        match self {
            Self::Single(pool) => drop(pool.retain(|_, _| false)),
            Self::Cluster(pool) => drop(pool.retain(|_, _| false)),
        }
    }

    pub async fn get(&self) -> Result<Connection, PoolError> {
        match self {
            Self::Single(pool) => pool.get().await.map(Connection::Single),
            Self::Cluster(pool) => pool.get().await.map(Connection::Cluster),
        }
    }
}

/// A connection on loan from the pool.
pub enum Connection {
    Single(deadpool_redis::Connection),
    Cluster(cluster::Connection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// Why Redis gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("no answer in time")]
    Timeout,
    #[error("no connection")]
    Pool(#[from] PoolError),
    #[error("an error for an answer")]
    Redis(#[from] RedisError),
}

impl Fault {
    /// Whether a master has become a replica: it says so for as long as the connection lasts, and answers every ping.
    pub fn is_of_replica(&self) -> bool {
        matches!(self, Self::Redis(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly))
    }

    /// What to log: never an address or an argument.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Timeout | Self::Pool(PoolError::Timeout(_)) => "timeout",
            Self::Redis(error) | Self::Pool(PoolError::Backend(error)) if error.is_io_error() => "connection",
            Self::Redis(_) => "refused",
            Self::Pool(_) => "pool",
        }
    }
}
