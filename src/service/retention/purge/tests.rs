//! What goes, and when, under clocks of all kinds.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::domain::manual_clock::ManualClock;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const DAY: Duration = Duration::from_hours(24);

/// A table with so many rows that are due, and the clock of its server.
struct Table {
    due: Mutex<u64>,
    asked: Mutex<Vec<(Perishable, Timestamp)>>,
    time: Option<Timestamp>,
}

impl Table {
    fn of(due: u64, time: Option<Timestamp>) -> Arc<Self> {
        Arc::new(Self { due: Mutex::new(due), asked: Mutex::default(), time })
    }

    fn asked(&self) -> Vec<(Perishable, Timestamp)> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Retention for Table {
    async fn purge(&self, what: Perishable, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.asked.lock().unwrap().push((what, before));
        let mut due = self.due.lock().unwrap();
        let gone = u64::from(limit).min(*due);
        *due -= gone;
        Ok(gone)
    }
}

#[async_trait]
impl Probe for Table {
    async fn time(&self) -> StoreResult<Option<Timestamp>> {
        Ok(self.time)
    }
}

fn purge(table: &Arc<Table>, audit: Option<Duration>) -> PurgeExpired {
    let clock = Arc::new(ManualClock::new(NOW));
    PurgeExpired { store: table.clone(), probe: table.clone(), clock, settings: RetentionSettings { audit } }
}

// promise D4
#[tokio::test(start_paused = true)]
async fn whatever_is_due_goes_batch_by_batch() {
    let table = Table::of(2 * u64::from(BATCH) + 7, None);
    assert_eq!(purge(&table, Some(DAY)).run_once().await, Ok(2 * u64::from(BATCH) + 7));
    let asked = table.asked();
    assert_eq!(asked[..3], [(Perishable::AuditEvents, NOW.before(DAY)); 3]);
    assert_eq!(asked.len(), 3 + 7);
}

// promise D4
#[tokio::test]
async fn a_session_and_a_revocation_stay_for_a_day_after_they_have_expired() {
    let table = Table::of(0, None);
    purge(&table, Some(DAY)).run_once().await.unwrap();
    for what in [Perishable::Sessions, Perishable::Revocations, Perishable::OneTimeTokens, Perishable::OAuthFlows] {
        assert!(table.asked().contains(&(what, NOW.before(DAY))), "{what:?}");
    }
}

#[tokio::test]
async fn a_trail_that_is_kept_for_ever_is_not_purged() {
    let table = Table::of(0, None);
    purge(&table, None).run_once().await.unwrap();
    assert!(!table.asked().iter().any(|(what, _)| *what == Perishable::AuditEvents));
}

// promise D4
#[tokio::test]
async fn a_clock_that_is_ahead_takes_nothing_early() {
    for (theirs, judged_by) in [(NOW.before(DAY * 30), NOW.before(DAY * 30)), (NOW.after(DAY), NOW)] {
        let table = Table::of(0, Some(theirs));
        purge(&table, Some(DAY)).run_once().await.unwrap();
        assert_eq!(table.asked()[0], (Perishable::AuditEvents, judged_by.before(DAY)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_loop_goes_on_until_cancelled() {
    let table = Table::of(0, None);
    let (purge, cancelled) = (purge(&table, Some(DAY)), CancellationToken::new());
    let told = cancelled.clone();
    let running = tokio::spawn(async move { purge.run(told).await });
    tokio::time::sleep(INTERVAL * 2 + PAUSE).await;
    assert_eq!(table.asked().len(), 3 * 8, "at the start and after each interval");
    cancelled.cancel();
    running.await.unwrap();
}
