//! Rate limits that all replicas share.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::{Script, cmd};

use super::link::{Away, Link};
use crate::domain::ports::Throttle;
use crate::domain::throttle::{Bucket, Limit, ThrottleVerdict};

/// The same algorithm as [`crate::domain::throttle::judge`], on the server's clock.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("throttle.lua")));

/// Counts in Redis and in a local throttle; in the local one alone while Redis is away.
///
/// What Redis lets through counts locally too, and both must agree. So a replica never lets through more than one
/// budget, whichever of them answers: who keeps Redis from answering in time, or sees it flushed, gains no second one.
#[derive(Clone)]
pub struct RedisThrottle {
    link: Arc<Link>,
    /// Ends in a hash tag, so that a cluster keeps every bucket in one slot: a script may touch no other. One node
    /// thus bears all counting.
    prefix: Arc<str>,
    local: Arc<dyn Throttle>,
}

impl RedisThrottle {
    pub(super) fn new(link: Arc<Link>, namespace: &str, local: Arc<dyn Throttle>) -> Self {
        Self { link, prefix: format!("{{{namespace}}}:limit:").into(), local }
    }

    /// Counts in a bucket of its own, as a request would: a Redis that answers but cannot write is away, too.
    pub(super) async fn probe(self) {
        let limit = Limit { burst: 1_000, period: Duration::from_millis(1) };
        let bucket = Bucket { key: "probe".to_owned(), limit };
        // The outcome is the breaker's to know.
        self.link.run_unhurried("EVALSHA", self.count(&[bucket])).await.ok();
    }

    async fn count(&self, buckets: &[Bucket]) -> Result<(usize, u64), super::pool::Fault> {
        let mut invocation = SCRIPT.prepare_invoke();
        for bucket in buckets {
            let tolerance = bucket.limit.period.saturating_mul(bucket.limit.burst);
            invocation.key(self.name(&bucket.key)).arg(millis(bucket.limit.period)).arg(millis(tolerance));
        }
        Ok(invocation.invoke_async(&mut self.link.connection().await?).await?)
    }

    async fn forget(&self, keys: &[String]) -> Result<(), super::pool::Fault> {
        let names: Vec<String> = keys.iter().map(|key| self.name(key)).collect();
        Ok(cmd("DEL").arg(names).query_async(&mut self.link.connection().await?).await?)
    }

    async fn shared_verdict(&self, buckets: &[Bucket]) -> Result<ThrottleVerdict, Away> {
        self.link.admit(self.clone().probe())?;
        let (limited, wait) = self.link.run("EVALSHA", self.count(buckets)).await?;
        let waiting = limited.checked_sub(1).and_then(|index| buckets.get(index));
        Ok(waiting.map_or(ThrottleVerdict::Allowed, |bucket| ThrottleVerdict::Limited {
            key: bucket.key.clone(),
            retry_after: Duration::from_millis(wait),
        }))
    }

    fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

#[async_trait]
impl Throttle for RedisThrottle {
    async fn check(&self, buckets: &[Bucket]) -> ThrottleVerdict {
        match self.shared_verdict(buckets).await {
            Ok(limited @ ThrottleVerdict::Limited { .. }) => limited,
            Ok(ThrottleVerdict::Allowed) | Err(Away) => self.local.check(buckets).await,
        }
    }

    /// What cannot be forgotten in Redis expires there by itself.
    async fn clear(&self, keys: &[String]) {
        self.local.clear(keys).await;
        if !keys.is_empty() && self.link.admit(self.clone().probe()).is_ok() {
            self.link.run_unproven("DEL", self.forget(keys)).await.ok();
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
