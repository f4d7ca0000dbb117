//! What goes, and when, under clocks of all kinds.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::domain::manual_clock::ManualClock;
use crate::domain::ports::StoreError;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const DAY: Duration = Duration::from_hours(24);

/// A table with so many rows that are due, and the clock of its server.
struct Table {
    due: Mutex<u64>,
    asked: Mutex<Vec<(Perishable, Timestamp)>>,
    time: Option<Timestamp>,
    /// What it does not remove.
    stuck: Mutex<Option<Perishable>>,
}

impl Table {
    fn of(due: u64, time: Option<Timestamp>) -> Arc<Self> {
        Arc::new(Self { due: Mutex::new(due), asked: Mutex::default(), time, stuck: Mutex::default() })
    }

    fn asked(&self) -> Vec<(Perishable, Timestamp)> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Retention for Table {
    async fn purge(&self, what: Perishable, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.asked.lock().unwrap().push((what, before));
        if *self.stuck.lock().unwrap() == Some(what) {
            return Err(StoreError::Unavailable);
        }
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

    async fn takes_changes(&self) -> StoreResult<bool> {
        Ok(true)
    }
}

fn purge(table: &Arc<Table>, audit: Option<Duration>) -> PurgeExpired {
    let clock = Arc::new(ManualClock::new(NOW));
    let tally = Arc::new(PurgeTally::new(clock.monotonic()));
    PurgeExpired { store: table.clone(), probe: table.clone(), clock, settings: RetentionSettings { audit }, tally }
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

// promise D4
#[tokio::test(start_paused = true)]
async fn what_is_removed_is_counted_by_its_kind_and_a_round_that_fails_is_not_one() {
    const HOUR: Duration = Duration::from_hours(1);
    let table = Table::of(u64::from(BATCH) + 7, None);
    let clock = Arc::new(ManualClock::new(NOW));
    let purge = PurgeExpired { clock: clock.clone(), ..purge(&table, Some(DAY)) };
    let counted = |what| purge.tally.rows().find(|(kind, _)| *kind == what).map(|(_, rows)| rows);
    clock.advance(HOUR);
    assert_eq!(purge.tally.age(clock.monotonic()), HOUR, "since the start, before the first round");

    purge.run_once().await.unwrap();
    assert_eq!(counted(Perishable::AuditEvents), Some(u64::from(BATCH) + 7));
    assert_eq!(counted(Perishable::Sessions), Some(0));
    assert_eq!(purge.tally.age(clock.monotonic()), Duration::ZERO);

    *table.due.lock().unwrap() = 3;
    *table.stuck.lock().unwrap() = Some(Perishable::Sessions);
    clock.advance(HOUR);
    purge.run_once().await.unwrap_err();
    assert_eq!(counted(Perishable::AuditEvents), Some(u64::from(BATCH) + 10), "what went counts all the same");
    assert_eq!(purge.tally.age(clock.monotonic()), HOUR);
    *table.stuck.lock().unwrap() = None;
    purge.run_once().await.unwrap();
    assert_eq!(purge.tally.age(clock.monotonic()), Duration::ZERO);
}

#[test]
fn each_kind_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<_> = Perishable::ALL.iter().map(|what| what.word()).collect();
    assert_eq!(words.len(), Perishable::ALL.len());
}
