//! Word of revocations between replicas.

use std::time::Duration;

use tokio::time::timeout;

use super::Replica;
use crate::support::redis::RedisServer;

const PATIENCE: Duration = Duration::from_secs(20);

async fn hears(replica: &Replica) -> bool {
    timeout(PATIENCE, replica.redis.signal().heard()).await.is_ok()
}

#[tokio::test]
async fn what_one_replica_announces_the_other_hears() {
    // promise T8
    let server = RedisServer::start();
    let (speaker, listener) = (Replica::patient(&server.url()), Replica::patient(&server.url()));
    assert!(hears(&listener).await, "a new listener looks once");
    for _ in 0..3 {
        speaker.redis.signal().announce().await;
        assert!(hears(&listener).await);
    }
    let silence = timeout(Duration::from_millis(50), listener.redis.signal().heard()).await;
    assert!(silence.is_err(), "heard what nobody said");
}

#[tokio::test]
async fn after_an_outage_a_replica_looks_once_and_hears_again() {
    // promise T8
    let mut server = RedisServer::start();
    let (speaker, listener) = (Replica::patient(&server.url()), Replica::patient(&server.url()));
    assert!(hears(&listener).await);
    server.kill();
    speaker.redis.signal().announce().await;
    server.start_again();
    assert!(hears(&listener).await, "what was lost is looked for");
    speaker.redis.signal().announce().await;
    assert!(hears(&listener).await);
}
