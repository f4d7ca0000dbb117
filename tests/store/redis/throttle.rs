//! The throttle on a Redis that is well.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use keystead::domain::throttle::ThrottleVerdict;
use tokio::time::{sleep, timeout};

use super::{Replica, bucket, connection};
use crate::support::redis::RedisServer;

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn replicas_share_one_budget_however_many_guess_at_once() {
    // promise L3
    let server = RedisServer::start();
    let replicas = [Replica::patient(&server.url()), Replica::patient(&server.url())];
    let shared = bucket("guess", 10, HOUR);
    let guesses = (0..200).map(|number| {
        let throttle = replicas[number % 2].redis.throttle();
        let shared = shared.clone();
        tokio::spawn(async move { throttle.check(&[shared]).await == ThrottleVerdict::Allowed })
    });
    let mut allowed = 0;
    for guess in guesses.collect::<Vec<_>>() {
        allowed += u32::from(guess.await.unwrap());
    }
    assert_eq!(allowed, 10);
    assert!(replicas.iter().all(|replica| !replica.redis.is_degraded()));
}

#[tokio::test]
async fn an_attempt_is_counted_in_every_bucket_or_in_none() {
    // promise L1
    let server = RedisServer::start();
    let replica = Replica::patient(&server.url());
    let (tight, wide) = (bucket("tight", 1, HOUR), bucket("wide", 3, HOUR));
    let both = [wide.clone(), tight.clone()];
    assert_eq!(replica.check(&both).await, ThrottleVerdict::Allowed);
    for _ in 0..5 {
        let ThrottleVerdict::Limited { key, retry_after } = replica.check(&both).await else {
            panic!("the tight bucket is empty")
        };
        assert_eq!(key, "tight");
        assert!((Duration::from_mins(59)..=HOUR).contains(&retry_after), "{retry_after:?}");
    }
    assert_eq!(replica.allowed(5, &wide).await, 2);
    replica.redis.throttle().clear(&["tight".to_owned(), "wide".to_owned()]).await;
    assert_eq!(replica.allowed(5, &tight).await, 1);
    assert_eq!(replica.allowed(5, &wide).await, 3);
}

#[tokio::test]
async fn a_bucket_fills_up_again_and_never_outlives_its_use() {
    let server = RedisServer::start();
    let replica = Replica::patient(&server.url());
    let quick = bucket("quick", 1, Duration::from_millis(100));
    assert_eq!(replica.check(std::slice::from_ref(&quick)).await, ThrottleVerdict::Allowed);
    let key = "{keystead}:limit:quick";
    let left: i64 = cmd("PTTL").arg(key).query_async(&mut connection(&server.url()).await).await.unwrap();
    assert!(left <= 100, "{left} ms");
    let refilled = async {
        while let ThrottleVerdict::Limited { retry_after, .. } = replica.check(std::slice::from_ref(&quick)).await {
            assert!(retry_after <= Duration::from_millis(100), "{retry_after:?}");
            replica.clock.advance(retry_after);
            sleep(retry_after).await;
        }
    };
    assert!(timeout(Duration::from_secs(20), refilled).await.is_ok(), "it never fills up");
    replica.allowed(1, &bucket("slow", 1, HOUR)).await;
    let left: i64 =
        cmd("PTTL").arg("{keystead}:limit:slow").query_async(&mut connection(&server.url()).await).await.unwrap();
    assert!((3_500_000..=3_600_000).contains(&left), "{left} ms");
}

#[tokio::test]
async fn after_a_flush_the_script_is_loaded_again_and_no_replica_has_a_second_budget() {
    // promise L3
    let server = RedisServer::start();
    let (replica, other) = (Replica::patient(&server.url()), Replica::patient(&server.url()));
    let once = bucket("once", 1, HOUR);
    assert_eq!(replica.allowed(3, &once).await, 1);
    let mut redis = connection(&server.url()).await;
    cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
    cmd("SCRIPT").arg("FLUSH").exec_async(&mut redis).await.unwrap();
    assert_eq!(replica.allowed(3, &once).await, 0);
    assert_eq!(replica.allowed(3, &bucket("another", 1, HOUR)).await, 1);
    // The refused attempt was counted in the empty Redis all the same.
    assert_eq!(other.allowed(3, &once).await, 0);
    assert!(!replica.redis.is_degraded() && !other.redis.is_degraded());
}
