//! The table of revocations under clocks and words of all kinds.

use async_trait::async_trait;
use keystead_verifier::{RevocationIndex, Verdict};
use tokio::sync::Notify;

use super::*;
use crate::domain::clock::{Clock as _, Timestamp};
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::{Sessions as _, StoreError};
use crate::domain::revocation::{Revocation, RevocationGap, RevocationPage, RevocationTarget};
use crate::domain::session::EndScope;
use crate::service::auth::token_set::TokenSet;
use crate::service::testing::World;

/// Word that a test sends.
#[derive(Default)]
struct Word(Notify);

#[async_trait]
impl RevocationSignal for Word {
    async fn announce(&self) {
        self.0.notify_one();
    }

    async fn heard(&self) {
        self.0.notified().await;
    }
}

/// Lets the loop run until every revocation is known as of now.
async fn until_complete(world: &World) {
    while world.revocations.fresh() != Ok(world.clock.now()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_loop_reads_at_the_start_and_when_told_and_ends_when_cancelled() {
    let world = World::new().await;
    let signal = Arc::new(Word::default());
    let (table, state) = (Arc::new(world.store.clone()), world.revocations.clone());
    let an_hour = Duration::from_hours(1);
    let reader = ReadRevocations::new(table, signal.clone(), state, an_hour);
    let cancelled = CancellationToken::new();
    let told = cancelled.clone();
    let running = tokio::spawn(async move { reader.run(told).await });
    until_complete(&world).await;
    world.advance(Duration::from_secs(1));
    signal.announce().await;
    until_complete(&world).await;
    cancelled.cancel();
    running.await.unwrap();
}

/// Ends the session as another replica does, whose clock is right: only the table tells.
async fn end_elsewhere(world: &World, user: UserId, tokens: &TokenSet) {
    let expire_at = world.issuer.revocations_expire_at(world.clock.now());
    let ended = world.store.end(user, EndScope::This(tokens.session_id), expire_at, &world.context()).await;
    assert_eq!(ended.unwrap().len(), 1);
}

#[tokio::test]
async fn a_clock_that_was_ahead_for_a_while_revives_no_revoked_token() {
    // promise R6
    let world = World::new().await;
    let user = world.user("ada@example.org").await;
    let (before, meanwhile) = (world.sign_in(&user).await, world.sign_in(&user).await);
    let reader = world.reader();
    reader.run_once().await.unwrap();
    end_elsewhere(&world, user.id, &before).await;
    reader.run_once().await.unwrap();
    let right = world.clock.now();
    end_elsewhere(&world, user.id, &meanwhile).await;
    world.clock.step_to(right.after(Duration::from_hours(3)));
    reader.run_once().await.unwrap();
    world.clock.step_to(right);
    assert!(world.revocations.fresh().is_err(), "what was forgotten meanwhile is alive again");
    reader.run_once().await.unwrap();
    for tokens in [before, meanwhile] {
        assert_eq!(world.verdict_from_memory(&tokens.access_token), Verdict::Revoked);
    }
}

// promise R6
#[tokio::test]
async fn only_a_clock_that_went_back_by_more_than_a_second_has_everything_read_again() {
    let world = World::new().await;
    let right = world.clock.now().as_millis();
    let mut place = Place::default();
    let mut read_at = |wall: i64| {
        world.clock.step_to(Timestamp::from_millis(wall));
        place.cursor = RevocationCursor(7);
        place.judge_clock(&world.revocations.begin());
        place.cursor
    };
    for wall in [right, right, right + 5_000, right + 4_000] {
        assert_eq!(read_at(wall), RevocationCursor(7), "{wall}");
    }
    assert_eq!(read_at(right + 3_999), RevocationCursor::default());
    assert_eq!(read_at(right + 3_999), RevocationCursor(7), "from then on by the new clock");
}

/// A table whose server has failed once; the one that took its place gives the same numbers a second time.
#[derive(Default)]
struct FailedOver {
    readings: std::sync::Mutex<u32>,
}

#[async_trait]
impl Revocations for FailedOver {
    async fn read(&self, from: RevocationCursor, now: Timestamp) -> StoreResult<RevocationPage> {
        let mut readings = self.readings.lock().unwrap();
        *readings += 1;
        let id = SessionId::from_uuid(uuid::Uuid::from_u128(950));
        let lost_number =
            Revocation { target: RevocationTarget::Session(id), expires_at: now.after(Duration::from_hours(1)) };
        match *readings {
            1 => Ok(RevocationPage { revocations: Vec::new(), cursor: RevocationCursor(1_000) }),
            2 => Err(StoreError::Unavailable),
            _ => {
                let revocations = if from <= RevocationCursor(950) { vec![lost_number] } else { Vec::new() };
                Ok(RevocationPage { revocations, cursor: RevocationCursor(1_010) })
            }
        }
    }

    async fn since(&self, _: RevocationCursor, _: Timestamp, _: u32) -> StoreResult<RevocationGap> {
        Ok(RevocationGap::TooWide)
    }
}

// promise T8
#[tokio::test]
async fn what_a_server_that_took_over_numbers_anew_is_not_skipped() {
    let world = World::new().await;
    let (table, signal) = (Arc::new(FailedOver::default()), Arc::new(Word::default()));
    let reader = ReadRevocations::new(table, signal, world.revocations.clone(), Duration::from_hours(1));
    reader.run_once().await.unwrap();
    assert_eq!(reader.run_once().await, Err(StoreError::Unavailable));
    reader.run_once().await.unwrap();
    let parts = (0..RevocationIndex::PARTS).flat_map(|part| world.revocations.index().part(part));
    assert_eq!(parts.count(), 1);
}
