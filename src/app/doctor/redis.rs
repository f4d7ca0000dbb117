//! Redis.

use std::time::Duration;

use super::Finding;
use crate::app::Parts;
use crate::config::Settings;
use crate::store::redis::{Inspection, Unreachable, inspect};

const REDIS: &str = "redis";

/// Whether Redis answers before a call would go on without it.
pub async fn examine(settings: &Settings, parts: &Parts) -> Finding {
    let Some(redis) = &settings.redis else {
        return Finding::ok(REDIS, "none is set: each replica keeps its own limits");
    };
    let found = match inspect(redis, parts.clock.as_ref()).await {
        Ok(found) => found,
        Err(fault) => return unusable(&fault),
    };
    judge(&found, redis.timeout)
}

/// How it stands with what answers; `timeout` is how long a call waits.
pub(super) fn judge(found: &Inspection, timeout: Duration) -> Finding {
    let told = told(found);
    if found.answering < found.nodes {
        return Finding::warn(
            REDIS,
            format!("{told}; {} of {} named nodes answer", found.answering, found.nodes),
            "start the others, or take them out of redis.url",
        );
    }
    if found.latency > timeout {
        return Finding::warn(
            REDIS,
            format!("{told}, which is longer than a call waits"),
            "bring it nearer, or raise redis.timeout",
        );
    }
    if found.eviction.as_deref().is_some_and(|policy| policy != "noeviction") {
        return Finding::warn(
            REDIS,
            format!("{told}; with its memory full it forgets counts before their time"),
            "set its maxmemory-policy to noeviction: limits are then local until there is room again",
        );
    }
    Finding::ok(REDIS, told)
}

fn told(found: &Inspection) -> String {
    let version = found.version.as_deref().unwrap_or("of a version that its user may not ask for");
    let way = if found.is_encrypted { "by TLS" } else { "in clear text" };
    format!("Redis {version} answers in {} ms, {way}", found.latency.as_millis())
}

/// Without an answer the service goes on, and comes back to Redis by itself; what a setting is to blame for stays.
fn unusable(fault: &Unreachable) -> Finding {
    let found = format!("it cannot be used: {fault}");
    match fault {
        Unreachable::Timeout | Unreachable::Connection => {
            Finding::warn(REDIS, found, "start it, or correct redis.url; until then limits are local to each replica")
        }
        Unreachable::Url => Finding::fail(REDIS, found, "correct redis.url"),
        Unreachable::Credentials => {
            Finding::fail(REDIS, found, "correct user and password in redis.url, and let the user run PING")
        }
        Unreachable::Tls => Finding::fail(
            REDIS,
            found,
            "name its authority by tls.ca_file, and the host in redis.url as its certificate does",
        ),
        Unreachable::Refused => {
            Finding::fail(REDIS, found, "see whether redis.url names a Redis, and what its log says")
        }
    }
}
