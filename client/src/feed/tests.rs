use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::pb::revocation::Target;
use crate::pb::{Revocation, UserRevocation};

const NOW: i64 = 1_700_000_000_000;

/// Both clocks at once.
struct Hands {
    wall: AtomicI64,
    monotonic: AtomicI64,
}

impl Hands {
    fn new() -> Arc<Self> {
        Arc::new(Self { wall: AtomicI64::new(NOW), monotonic: AtomicI64::new(1_000_000) })
    }

    fn pass(&self, millis: i64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.monotonic.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic.load(Ordering::SeqCst).try_into().unwrap())
    }
}

fn timestamp(millis: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: millis / 1_000, nanos: i32::try_from(millis % 1_000).unwrap() * 1_000_000 }
}

/// Made at `made_at` by the server's clock.
fn complete(made_at: i64, age: u64) -> WatchRevocationsResponse {
    let span = Duration::from_millis(age);
    WatchRevocationsResponse {
        cursor: "c".to_owned(),
        complete_time: Some(timestamp(made_at - millis(span))),
        age: Some(span.try_into().unwrap()),
        ..WatchRevocationsResponse::default()
    }
}

fn revoking(target: Target, expires_at: i64) -> WatchRevocationsResponse {
    let revocation = Revocation { target: Some(target), expire_time: Some(timestamp(expires_at)) };
    WatchRevocationsResponse { revocations: vec![revocation], ..WatchRevocationsResponse::default() }
}

fn take(feed: &Feed, message: WatchRevocationsResponse, transit: &mut Transit) {
    assert_eq!(feed.take(message, transit).unwrap(), Taken::NoKeyRevoked);
}

fn stale(feed: &Feed) -> u128 {
    feed.staleness().unwrap().as_millis()
}

#[test]
fn the_feed_is_as_old_as_the_age_told_and_the_time_since_the_receipt() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    assert_eq!(feed.staleness(), None);
    // However far the server's clock is off.
    take(&feed, complete(NOW - 5_000_000, 300), &mut feed.transit());
    assert_eq!((feed.cursor().as_str(), stale(&feed)), ("c", 300));
    hands.pass(4_000);
    assert_eq!(stale(&feed), 4_300);
}

#[test]
fn a_wall_clock_that_is_stepped_changes_no_staleness() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    take(&feed, complete(NOW, 0), &mut feed.transit());
    hands.wall.fetch_sub(3_600_000, Ordering::SeqCst);
    assert_eq!(stale(&feed), 0);
}

#[test]
fn a_message_that_was_held_up_counts_from_when_it_was_made() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    let mut transit = feed.transit();
    take(&feed, complete(NOW, 100), &mut transit);
    hands.pass(10_000);
    take(&feed, complete(NOW + 1_000, 100), &mut transit);
    assert_eq!(stale(&feed), 9_100, "it was made nine seconds ago");
    assert!(transit.is_too_late(), "and this stream is left for a new one");
    take(&feed, complete(NOW + 10_000, 100), &mut transit);
    assert_eq!(stale(&feed), 100);
    assert!(!transit.is_too_late());
}

#[test]
fn the_first_message_of_a_stream_counts_from_the_request_at_most() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    let mut transit = feed.transit();
    // The process was frozen between the making of both and their receipt.
    hands.pass(60_000);
    take(&feed, complete(NOW, 100), &mut transit);
    assert_eq!(stale(&feed), 60_100);
    assert!(transit.is_too_late(), "and this stream is left for a new one");
    take(&feed, complete(NOW + 1_000, 100), &mut transit);
    assert_eq!(stale(&feed), 59_100, "it makes no message that comes with it fresh");
    take(&feed, complete(NOW + 60_000, 100), &mut feed.transit());
    assert_eq!(stale(&feed), 100);
}

#[test]
fn a_first_message_that_was_long_in_the_making_tells_of_revocations_all_the_same() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    let mut transit = feed.transit();
    hands.pass(3_000);
    let id = uuid::Uuid::from_u128(7);
    let told = revoking(Target::SessionId(id.to_string()), NOW + 60_000).revocations;
    take(&feed, WatchRevocationsResponse { revocations: told, ..complete(NOW + 3_000, 0) }, &mut transit);
    let told = (0..RevocationIndex::PARTS).map(|part| feed.index.part(part).len()).sum::<usize>();
    assert_eq!((told, feed.cursor().as_str(), stale(&feed)), (1, "c", 3_000));
    assert!(transit.is_too_late());
}

#[test]
fn completeness_never_goes_back() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    take(&feed, complete(NOW, 0), &mut feed.transit());
    take(&feed, complete(NOW, 3_000), &mut feed.transit());
    assert_eq!(stale(&feed), 0);
}

#[test]
fn a_part_of_a_snapshot_completes_nothing() {
    let feed = Feed::new(Hands::new());
    let id = uuid::Uuid::from_u128(7);
    take(&feed, revoking(Target::SessionId(id.to_string()), NOW + 1), &mut feed.transit());
    assert_eq!((feed.cursor().as_str(), feed.staleness()), ("", None));
}

#[test]
fn what_cannot_be_read_is_a_fault() {
    let feed = Feed::new(Hands::new());
    let user = UserRevocation { user_id: "x".to_owned(), min_epoch: 1 };
    for message in [
        revoking(Target::SessionId("x".to_owned()), NOW),
        revoking(Target::User(user), NOW),
        WatchRevocationsResponse { revocations: vec![Revocation::default()], ..WatchRevocationsResponse::default() },
        WatchRevocationsResponse { age: None, ..complete(NOW, 0) },
    ] {
        assert!(feed.take(message, &mut feed.transit()).is_err());
        assert_eq!(feed.staleness(), None);
    }
}

#[test]
fn a_revoked_key_stays_revoked_though_its_revocation_expires() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    let taken = feed.take(revoking(Target::KeyId("k".to_owned()), NOW + 1), &mut feed.transit()).unwrap();
    assert_eq!(taken, Taken::KeyRevoked);
    hands.pass(3_600_000);
    take(&feed, complete(NOW + 3_600_000, 0), &mut feed.transit());
    assert!(feed.index.is_key_revoked("k"));
}

#[test]
fn a_clock_put_back_judges_by_no_time_before_what_was_forgotten() {
    let hands = Hands::new();
    let feed = Feed::new(hands.clone());
    hands.pass(60_000);
    take(&feed, complete(NOW + 50_000, 0), &mut feed.transit());
    hands.wall.store(NOW, Ordering::SeqCst);
    assert_eq!(feed.judged_at(), NOW + 50_000, "the earlier of both clocks, when it was pruned");
}
