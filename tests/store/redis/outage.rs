//! Redis away: at the start, killed, hung, unable to write. Limits stay, and nobody waits.

use std::future::Future;
use std::time::Duration;

use deadpool_redis::redis::cmd;
use keystead::store::redis::Settings;
use tokio::time::{sleep, timeout};

use super::{Replica, bucket, connection};
use crate::support::redis::RedisServer;
use crate::support::stopwatch::Stopwatch;

const HOUR: Duration = Duration::from_hours(1);
const COOL_DOWN: Duration = Duration::from_secs(1);

async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let waiting = async {
        while !condition().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(Duration::from_secs(20), waiting).await.is_ok(), "never: {what}");
}

/// Requests keep coming, time goes on, and nobody touches the replica.
async fn heals(replica: &Replica) {
    eventually("redis is used again", || async {
        replica.clock.advance(COOL_DOWN);
        replica.allowed(1, &bucket("traffic", 1_000_000, Duration::from_millis(1))).await;
        !replica.redis.is_degraded()
    })
    .await;
}

#[tokio::test]
async fn a_replica_starts_without_redis_and_limits_by_itself() {
    let mut server = RedisServer::start();
    server.kill();
    let replica = Replica::patient(&server.url());
    assert_eq!(replica.allowed(20, &bucket("key", 7, HOUR)).await, 7);
    assert!(replica.redis.is_degraded());
    server.start_again();
    heals(&replica).await;
}

#[tokio::test]
async fn a_killed_redis_gives_no_replica_a_second_budget_and_is_used_again_once_it_is_back() {
    let mut server = RedisServer::start();
    let replicas = [Replica::patient(&server.url()), Replica::patient(&server.url())];
    let key = bucket("key", 5, HOUR);
    assert_eq!(replicas[0].allowed(20, &key).await, 5);
    server.kill();
    assert_eq!(replicas[0].allowed(50, &key).await, 0, "what it let through before counts");
    assert_eq!(replicas[1].allowed(50, &key).await, 5);
    assert!(replicas.iter().all(|replica| replica.redis.is_degraded()));
    server.start_again();
    for replica in &replicas {
        heals(replica).await;
    }
    let fresh = bucket("fresh", 5, HOUR);
    assert_eq!(replicas[0].allowed(3, &fresh).await + replicas[1].allowed(9, &fresh).await, 5);
}

#[tokio::test]
async fn a_hung_redis_costs_a_request_its_timeout_at_most_and_nothing_once_it_is_left_alone() {
    let server = RedisServer::start();
    let replica = Replica::new(&Settings::new(server.url()));
    let key = bucket("key", 1_000, HOUR);
    eventually("a connection is there", || async { replica.allowed(1, &key).await == 1 }).await;
    server.pause();
    let watch = Stopwatch::start();
    let mut slow = 0;
    while !replica.redis.is_degraded() {
        assert_eq!(replica.allowed(1, &key).await, 1);
        slow += 1;
        assert!(slow < 100, "a hung server is asked for ever");
    }
    assert!((1..=5).contains(&slow), "{slow} requests had to wait");
    let waited = watch.waited();
    assert!(waited < Duration::from_millis(100) * (slow + 1), "{waited:?}");
    let watch = Stopwatch::start();
    for _ in 0..20 {
        // Each one may send a probe, and none waits for it.
        replica.clock.advance(COOL_DOWN);
        assert_eq!(replica.allowed(1, &key).await, 1);
    }
    let waited = watch.waited();
    assert!(waited < Duration::from_millis(100), "{waited:?}");
    server.resume();
    heals(&replica).await;
}

#[tokio::test]
async fn a_redis_that_cannot_write_is_as_good_as_away() {
    let server = RedisServer::start();
    let replica = Replica::patient(&server.url());
    let mut redis = connection(&server.url()).await;
    let set_memory = |limit: &'static str| cmd("CONFIG").arg("SET").arg("maxmemory").arg(limit).to_owned();
    set_memory("1").exec_async(&mut redis).await.unwrap();
    assert_eq!(replica.allowed(20, &bucket("key", 7, HOUR)).await, 7);
    assert!(replica.redis.is_degraded());
    set_memory("0").exec_async(&mut redis).await.unwrap();
    heals(&replica).await;
}
