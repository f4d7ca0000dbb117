//! Looks at Redis without changing anything.

use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisError, cmd};
use tokio::time::timeout;

use super::Settings;
use super::pool::CONNECT_TIMEOUT;
use crate::domain::clock::Clock;

/// What the server says of itself; of a cluster the first of the named nodes that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// `None` where its user may not ask.
    pub version: Option<String>,
    /// What it does when its memory is full; `None` where its user may not ask.
    pub eviction: Option<String>,
    pub is_encrypted: bool,
    /// How long it took to answer.
    pub latency: Duration,
    /// How many nodes the settings name, and how many of them answer.
    pub nodes: usize,
    pub answering: usize,
}

/// Why Redis could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    #[error("the URL will not do")]
    Url,
    #[error("no answer in time")]
    Timeout,
    #[error("no connection")]
    Connection,
    #[error("its certificate does not verify, or it speaks no TLS there")]
    Tls,
    #[error("user or password are refused")]
    Credentials,
    #[error("an error for an answer")]
    Refused,
}

/// Asks every node that the settings name.
pub async fn inspect(settings: &Settings, clock: &dyn Clock) -> Result<Inspection, Unreachable> {
    let address = settings.address().map_err(|_| Unreachable::Url)?;
    let mut found: Option<Inspection> = None;
    let mut fault = Unreachable::Url;
    for node in &address.nodes {
        match timeout(CONNECT_TIMEOUT, look(node, clock)).await.unwrap_or(Err(Unreachable::Timeout)) {
            Ok(seen) => found.get_or_insert(seen).answering += 1,
            Err(error) => fault = error,
        }
    }
    found.map(|found| Inspection { nodes: address.nodes.len(), ..found }).ok_or(fault)
}

async fn look(node: &ConnectionInfo, clock: &dyn Clock) -> Result<Inspection, Unreachable> {
    let client = Client::open(node.clone()).map_err(|_| Unreachable::Url)?;
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_TIMEOUT));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.map_err(|it| why(&it))?;
    let asked = clock.monotonic();
    cmd("PING").query_async::<()>(&mut connection).await.map_err(|error| why(&error))?;
    let latency = clock.monotonic().saturating_sub(asked);
    let is_encrypted = matches!(node.addr(), ConnectionAddr::TcpTls { .. });
    let version = field(&mut connection, "server", "redis_version:").await;
    let eviction = field(&mut connection, "memory", "maxmemory_policy:").await;
    Ok(Inspection { version, eviction, is_encrypted, latency, nodes: 0, answering: 0 })
}

/// A line of a section of `INFO`.
async fn field(connection: &mut MultiplexedConnection, section: &str, name: &str) -> Option<String> {
    let text: String = cmd("INFO").arg(section).query_async(connection).await.ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

fn why(error: &RedisError) -> Unreachable {
    match error.code() {
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => Unreachable::Credentials,
        // Whatever is wrong with a certificate comes as a fault of the connection, in words alone.
        _ if error.to_string().contains("certificate") => Unreachable::Tls,
        _ if error.is_timeout() => Unreachable::Timeout,
        _ if error.is_io_error() || error.is_connection_refusal() => Unreachable::Connection,
        _ if error.to_string().starts_with("Password authentication failed") => Unreachable::Credentials,
        _ => Unreachable::Refused,
    }
}
