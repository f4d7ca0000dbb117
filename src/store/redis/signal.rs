//! Word between replicas that the table of revocations has changed, by publish and subscribe.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::aio::PubSub;
use deadpool_redis::redis::{Client, ConnectionInfo, RedisResult, cmd};
use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::link::Link;
use super::pool::{CONNECT_TIMEOUT, Fault};
use super::throttle::RedisThrottle;
use crate::domain::ports::RevocationSignal;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A silent connection is asked whether it is still there this often: nothing else would tell.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Announces over the pool, listens on a connection of its own until it is dropped. For one listener.
pub struct RedisSignal {
    link: Arc<Link>,
    probe: RedisThrottle,
    channel: String,
    heard: Arc<Notify>,
    _listener: AbortOnDropHandle<()>,
}

impl RedisSignal {
    pub(super) fn start(link: Arc<Link>, probe: RedisThrottle, nodes: Vec<ConnectionInfo>, namespace: &str) -> Self {
        let channel = format!("{{{namespace}}}:revocations");
        let heard = Arc::new(Notify::new());
        let listener = tokio::spawn(listen(nodes, channel.clone(), Arc::clone(&heard)));
        Self { link, probe, channel, heard, _listener: AbortOnDropHandle::new(listener) }
    }

    async fn publish(&self) -> Result<(), Fault> {
        Ok(cmd("PUBLISH").arg(&self.channel).arg(1).query_async(&mut self.link.connection().await?).await?)
    }
}

#[async_trait]
impl RevocationSignal for RedisSignal {
    /// One's own word comes back, too: reading the table once more does no harm.
    async fn announce(&self) {
        if self.link.admit(self.probe.clone().probe()).is_ok() {
            self.link.run_unproven("PUBLISH", self.publish()).await.ok();
        }
    }

    async fn heard(&self) {
        self.heard.notified().await;
    }
}

/// In a cluster every node passes on every word, so that any one of them will do.
async fn listen(nodes: Vec<ConnectionInfo>, channel: String, heard: Arc<Notify>) {
    let mut pause = FIRST_PAUSE;
    for node in nodes.iter().cycle() {
        if let Ok(Ok(connection)) = timeout(CONNECT_TIMEOUT, subscribe(node, &channel)).await {
            tracing::info!("listening to redis for revocations");
            pause = FIRST_PAUSE;
            // What was said while nobody listened is lost: look.
            heard.notify_one();
            pass_on(connection, &heard).await;
            tracing::warn!("redis no longer tells of revocations: they are found by reading alone");
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn subscribe(node: &ConnectionInfo, channel: &str) -> RedisResult<PubSub> {
    let mut connection = Client::open(node.clone())?.get_async_pubsub().await?;
    connection.subscribe(channel).await?;
    Ok(connection)
}

/// Returns when the connection is lost.
async fn pass_on(connection: PubSub, heard: &Notify) {
    let (mut sink, mut words) = connection.split();
    loop {
        match timeout(HEARTBEAT, words.next()).await {
            Ok(Some(_)) => heard.notify_one(),
            Ok(None) => return,
            Err(_) => {
                let answer = timeout(CONNECT_TIMEOUT, sink.ping::<()>()).await;
                if !matches!(answer, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }
}
