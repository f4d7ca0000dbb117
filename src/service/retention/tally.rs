//! What the removal of expired rows has done, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::ports::retention::Perishable;
use crate::domain::tally::Counter;

/// What this process has removed, and since when nothing that was due has been left over.
#[derive(Debug)]
pub struct PurgeTally {
    rows: [Counter; Perishable::ALL.len()],
    /// By the monotonic clock, in nanoseconds: the end of the last round that removed all that was due, or else the start.
    completed: AtomicU64,
}

impl PurgeTally {
    /// Begins at this monotonic time.
    pub fn new(now: Duration) -> Self {
        Self { rows: Default::default(), completed: AtomicU64::new(nanos(now)) }
    }

    pub fn removed(&self, what: Perishable, rows: u64) {
        for (each, counter) in Perishable::ALL.iter().zip(&self.rows) {
            if *each == what {
                counter.add(rows);
            }
        }
    }

    /// A round has removed all that was due.
    pub fn completed(&self, now: Duration) {
        self.completed.store(nanos(now), Ordering::Relaxed);
    }

    /// How long ago that was.
    pub fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(self.completed.load(Ordering::Relaxed)))
    }

    /// Rows removed so far, of each kind.
    pub fn rows(&self) -> impl Iterator<Item = (Perishable, u64)> {
        Perishable::ALL.into_iter().zip(&self.rows).map(|(what, counter)| (what, counter.get()))
    }
}

/// Stands still after 584 years of work.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
