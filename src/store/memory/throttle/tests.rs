//! Limits in RAM: exact, shared and bounded.

use super::*;
use crate::domain::manual_clock::ManualClock;

const LIMIT: Limit = Limit { burst: 3, period: Duration::from_secs(10) };

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)))
}

fn bucket(key: &str) -> Bucket {
    Bucket { key: key.to_owned(), limit: LIMIT }
}

async fn allowed(throttle: &MemoryThrottle, buckets: &[Bucket]) -> bool {
    throttle.check(buckets).await == ThrottleVerdict::Allowed
}

#[tokio::test]
async fn a_burst_passes_and_then_one_a_period() {
    let clock = clock();
    let throttle = MemoryThrottle::new(clock.clone());
    for _ in 0..3 {
        assert!(allowed(&throttle, &[bucket("a")]).await);
    }
    let verdict = throttle.check(&[bucket("a")]).await;
    assert_eq!(verdict, ThrottleVerdict::Limited { key: "a".to_owned(), retry_after: LIMIT.period });
    clock.advance(LIMIT.period);
    assert!(allowed(&throttle, &[bucket("a")]).await);
    assert!(!allowed(&throttle, &[bucket("a")]).await);
}

#[tokio::test]
async fn a_refused_attempt_is_counted_nowhere() {
    let throttle = MemoryThrottle::new(clock());
    for _ in 0..3 {
        assert!(allowed(&throttle, &[bucket("full")]).await);
    }
    for _ in 0..5 {
        assert!(!allowed(&throttle, &[bucket("free"), bucket("full")]).await);
    }
    for _ in 0..3 {
        assert!(allowed(&throttle, &[bucket("free")]).await, "a refused attempt was counted");
    }
}

#[tokio::test]
async fn the_longest_wait_is_told() {
    let slow = Bucket { key: "slow".to_owned(), limit: Limit { burst: 1, period: Duration::from_mins(1) } };
    let quick = Bucket { key: "quick".to_owned(), limit: Limit { burst: 1, period: Duration::from_secs(1) } };
    let throttle = MemoryThrottle::new(clock());
    let both = [quick.clone(), slow, quick];
    assert!(allowed(&throttle, &both).await);
    let verdict = throttle.check(&both).await;
    assert_eq!(verdict, ThrottleVerdict::Limited { key: "slow".to_owned(), retry_after: Duration::from_mins(1) });
}

#[tokio::test]
async fn a_stepped_wall_clock_changes_nothing() {
    let clock = clock();
    let throttle = MemoryThrottle::new(clock.clone());
    for _ in 0..3 {
        assert!(allowed(&throttle, &[bucket("a")]).await);
    }
    for step in [0, i64::MAX] {
        clock.step_to(Timestamp::from_millis(step));
        assert!(!allowed(&throttle, &[bucket("a")]).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_attempts_never_exceed_the_burst() {
    // promise L3
    let throttle = Arc::new(MemoryThrottle::new(clock()));
    let attempts = (0..200).map(|_| {
        let throttle = throttle.clone();
        tokio::spawn(async move { allowed(&throttle, &[bucket("a")]).await })
    });
    let verdicts = futures_util::future::join_all(attempts).await;
    assert_eq!(verdicts.into_iter().filter(|verdict| *verdict.as_ref().unwrap()).count(), 3);
}

#[tokio::test]
async fn cleared_keys_start_afresh() {
    let throttle = MemoryThrottle::new(clock());
    for key in ["a", "b"] {
        for _ in 0..3 {
            assert!(allowed(&throttle, &[bucket(key)]).await);
        }
    }
    throttle.clear(&["a".to_owned()]).await;
    assert!(allowed(&throttle, &[bucket("a")]).await);
    assert!(!allowed(&throttle, &[bucket("b")]).await);
}

#[tokio::test]
async fn a_full_table_stays_bounded_and_never_becomes_unlimited() {
    let throttle = MemoryThrottle::bounded(clock(), 10);
    let mut passed = 0;
    for number in 0..50_000 {
        passed += usize::from(allowed(&throttle, &[bucket(&number.to_string())]).await);
    }
    let slots = usize::try_from(SHARED_SLOTS).unwrap();
    assert!(passed <= 10 + 3 * slots, "{passed} of 50,000 new keys passed");
    let table = throttle.table();
    assert_eq!(table.own.len(), 10);
    assert!(table.shared.len() <= slots);
}

#[tokio::test]
async fn buckets_whose_time_has_passed_are_swept() {
    let clock = clock();
    let throttle = MemoryThrottle::new(clock.clone());
    for number in 0..100 {
        assert!(allowed(&throttle, &[bucket(&number.to_string())]).await);
    }
    clock.advance(LIMIT.period);
    assert!(allowed(&throttle, &[bucket("last")]).await);
    assert_eq!(throttle.table().own.len(), 1);
}
