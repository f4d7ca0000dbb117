//! Connections to a cluster, which may be vouched for by authorities of the operator's own.

use deadpool::managed::{self, Metrics, RecycleResult};
use deadpool_redis::redis::cluster::{ClusterClient, ClusterClientBuilder};
use deadpool_redis::redis::cluster_async::ClusterConnection;
use deadpool_redis::redis::{RedisError, RedisResult, cmd};

use super::address::Address;

pub type Pool = managed::Pool<ClusterManager>;
pub type Connection = managed::Object<ClusterManager>;

/// Makes connections that know every node.
pub struct ClusterManager(ClusterClient);

impl ClusterManager {
    /// Connects to nobody yet.
    pub fn new(address: &Address) -> RedisResult<Self> {
        let builder = ClusterClientBuilder::new(address.nodes.clone());
        let builder = match &address.certificates {
            Some(certificates) => builder.certs(certificates.clone()),
            None => builder,
        };
        builder.build().map(Self)
    }
}

impl managed::Manager for ClusterManager {
    type Type = ClusterConnection;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<ClusterConnection> {
        self.0.get_async_connection().await
    }

    async fn recycle(&self, connection: &mut ClusterConnection, _: &Metrics) -> RecycleResult<RedisError> {
        Ok(cmd("PING").query_async::<()>(connection).await?)
    }
}
