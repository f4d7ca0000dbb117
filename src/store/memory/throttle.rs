//! Rate limits in RAM: of the embedded default, and of each replica while the shared counters are away.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::ports::Throttle;
use crate::domain::throttle::{Arrival, Bucket, Limit, ThrottleVerdict, judge};

/// How many keys have a bucket of their own: some 20 MiB at the most.
const MAX_ENTRIES: usize = 100_000;
/// How many buckets all further keys of one limit share.
const SHARED_SLOTS: u64 = 1_024;
/// How often buckets that are as good as new are looked for, so that a full table does not make each check slow.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// The rate limiter of one process, by the algorithm of `domain::throttle`, on monotonic time.
///
/// Its memory is bounded: buckets whose arrival time has passed are dropped, and once [`MAX_ENTRIES`] keys have one, a
/// new key shares one of [`SHARED_SLOTS`] with others that have the same limit. So who floods the table makes limits
/// stricter for newcomers, never looser for anybody.
pub struct MemoryThrottle {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    max_entries: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    own: HashMap<String, Timestamp>,
    shared: HashMap<(u64, u32, Duration), Timestamp>,
    swept_at: Timestamp,
}

/// Where a key is counted.
#[derive(Clone, Copy)]
enum Place<'a> {
    Own(&'a str),
    Shared((u64, u32, Duration)),
}

impl MemoryThrottle {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::bounded(clock, MAX_ENTRIES)
    }

    fn bounded(clock: Arc<dyn Clock>, max_entries: usize) -> Self {
        Self { clock, hasher: RandomState::new(), max_entries, table: Mutex::default() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each write is whole by itself: what a panic elsewhere left is sound.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp::default().after(self.clock.monotonic())
    }

    fn place<'a>(&self, table: &Table, bucket: &'a Bucket) -> Place<'a> {
        if table.own.len() < self.max_entries || table.own.contains_key(&bucket.key) {
            return Place::Own(&bucket.key);
        }
        let Limit { burst, period } = bucket.limit;
        Place::Shared((self.hasher.hash_one(&bucket.key) % SHARED_SLOTS, burst, period))
    }
}

impl Table {
    fn expected(&self, place: &Place<'_>) -> Option<Timestamp> {
        match place {
            Place::Own(key) => self.own.get(*key),
            Place::Shared(slot) => self.shared.get(slot),
        }
        .copied()
    }

    fn keep(&mut self, place: Place<'_>, arrival: Timestamp) {
        match place {
            Place::Own(key) => self.own.insert(key.to_owned(), arrival),
            Place::Shared(slot) => self.shared.insert(slot, arrival),
        };
    }

    fn sweep(&mut self, now: Timestamp) {
        if now.since(self.swept_at) < SWEEP_PERIOD {
            return;
        }
        self.swept_at = now;
        self.own.retain(|_, arrival| now < *arrival);
        self.shared.retain(|_, arrival| now < *arrival);
    }
}

#[async_trait]
impl Throttle for MemoryThrottle {
    async fn check(&self, buckets: &[Bucket]) -> ThrottleVerdict {
        let now = self.now();
        let mut table = self.table();
        table.sweep(now);
        let mut counted = Vec::with_capacity(buckets.len());
        let mut longest: Option<(&str, Duration)> = None;
        for bucket in buckets {
            let place = self.place(&table, bucket);
            match judge(bucket.limit, table.expected(&place), now) {
                Arrival::Conforms(arrival) => counted.push((place, arrival)),
                Arrival::TooEarly(wait) if longest.is_none_or(|(_, longest)| longest < wait) => {
                    longest = Some((&bucket.key, wait));
                }
                Arrival::TooEarly(_) => {}
            }
        }
        if let Some((key, retry_after)) = longest {
            return ThrottleVerdict::Limited { key: key.to_owned(), retry_after };
        }
        for (place, arrival) in counted {
            table.keep(place, arrival);
        }
        ThrottleVerdict::Allowed
    }

    async fn clear(&self, keys: &[String]) {
        let mut table = self.table();
        // What keys share stays: it counts others too.
        for key in keys {
            table.own.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
