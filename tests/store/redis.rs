//! Redis as it is, and as it fails: what it promises as a throttle and as a signal.

mod outage;
mod script;
mod signal;
mod throttle;

use std::sync::Arc;
use std::time::Duration;

use keystead::domain::clock::Timestamp;
use keystead::domain::manual_clock::ManualClock;
use keystead::domain::throttle::{Bucket, Limit, ThrottleVerdict};
use keystead::store::memory::throttle::MemoryThrottle;
use keystead::store::redis::{Redis, Settings};

/// One replica of the service, as far as Redis knows it. Its clock moves by hand.
struct Replica {
    redis: Redis,
    clock: Arc<ManualClock>,
}

impl Replica {
    /// With more patience than in production: on a machine under load a slow answer is no outage.
    fn patient(url: &str) -> Self {
        Self::new(&Settings { timeout: Duration::from_secs(1), ..Settings::new(url.to_owned()) })
    }

    fn new(settings: &Settings) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let fallback = Arc::new(MemoryThrottle::new(clock.clone()));
        let redis = Redis::connect(settings, clock.clone(), fallback).expect("the settings are sound");
        Self { redis, clock }
    }

    async fn check(&self, buckets: &[Bucket]) -> ThrottleVerdict {
        self.redis.throttle().check(buckets).await
    }

    /// How many of so many attempts may go on.
    async fn allowed(&self, attempts: u32, bucket: &Bucket) -> u32 {
        let mut allowed = 0;
        for _ in 0..attempts {
            let verdict = self.check(std::slice::from_ref(bucket)).await;
            allowed += u32::from(verdict == ThrottleVerdict::Allowed);
        }
        allowed
    }
}

fn bucket(key: &str, burst: u32, period: Duration) -> Bucket {
    Bucket { key: key.to_owned(), limit: Limit { burst, period } }
}

/// A connection of the test's own, to look and to meddle.
async fn connection(url: &str) -> deadpool_redis::redis::aio::MultiplexedConnection {
    let client = deadpool_redis::redis::Client::open(url).expect("a URL");
    client.get_multiplexed_async_connection().await.expect("the server runs")
}
