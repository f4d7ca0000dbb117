//! What is told of a service that starts, suffers and drains.

use super::*;
use crate::domain::ports::StoreError;
use crate::service::testing::World;

fn health(world: &World) -> HealthState {
    HealthState::new(world.revocations.clone(), world.keys.clone(), Arc::new(world.store.clone()), world.clock.clone())
}

#[tokio::test]
async fn the_service_is_ready_once_the_revocations_have_been_read() {
    let world = World::new().await;
    let health = health(&world);
    health.run_once().await;
    let before = health.current();
    assert!(!before.started && !before.is_ready() && before.database);
    world.reader().run_once().await.unwrap();
    let ready = health.current();
    assert!(ready.started && ready.is_ready() && ready.signs_in());
}

#[tokio::test]
async fn a_database_that_is_away_stops_sign_in_at_once_and_readiness_only_with_verification() {
    let world = World::new().await;
    let health = health(&world);
    world.reader().run_once().await.unwrap();
    health.run_once().await;
    world.store.fail_with(Some(StoreError::Unavailable));
    health.run_once().await;
    assert!(health.current().is_ready() && !health.current().signs_in());
    world.advance(world.settings.revocation.max_staleness + Duration::from_millis(1));
    assert!(!health.current().is_ready());
    assert!(health.current().started, "a start is for good");
    world.store.fail_with(None);
    world.reader().run_once().await.unwrap();
    health.run_once().await;
    assert!(health.current().signs_in(), "heals by itself");
}

#[tokio::test]
async fn a_drain_is_told_at_once_and_for_good() {
    // promise N7
    let world = World::new().await;
    let health = health(&world);
    world.reader().run_once().await.unwrap();
    health.run_once().await;
    let mut watched = health.subscribe();
    watched.mark_unchanged();
    health.drain();
    assert!(watched.has_changed().unwrap());
    health.run_once().await;
    assert!(!health.current().is_ready());
}

#[tokio::test]
async fn who_watches_is_told_of_changes_alone() {
    let world = World::new().await;
    let health = health(&world);
    world.reader().run_once().await.unwrap();
    health.run_once().await;
    let mut watched = health.subscribe();
    watched.mark_unchanged();
    health.run_once().await;
    assert!(!watched.has_changed().unwrap());
}

#[test]
fn clocks_differ_by_two_seconds_at_most() {
    let at = |millis: i64| Timestamp::from_millis(1_700_000_000_000 + millis);
    for (theirs, agree) in [(-2_001, false), (-2_000, true), (0, true), (2_500, true), (2_501, false)] {
        assert_eq!(agrees(at(theirs), at(0), at(500)), agree, "{theirs}");
    }
}
