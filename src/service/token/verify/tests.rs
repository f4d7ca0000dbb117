//! Verdicts, their freshness, and how long they keep.

use super::*;
use crate::domain::ports::StoreError;
use crate::service::error::ServiceError;
use crate::service::testing::World;

fn request(access_token: &str) -> VerifyRequest {
    VerifyRequest { access_token: access_token.to_owned(), expectations: Expectations::default() }
}

async fn signed_in(world: &World) -> String {
    let user = world.user("ada@example.org").await;
    world.sign_in(&user).await.access_token
}

#[tokio::test]
async fn a_good_token_is_active_and_its_verdict_may_be_kept_for_a_second() {
    let world = World::new().await;
    let token = signed_in(&world).await;
    world.reader().run_once().await.unwrap();
    let verified = world.verify().run(&request(&token)).unwrap();
    assert!(matches!(verified.verdict, Verdict::Active(_)), "{verified:?}");
    assert_eq!(verified.cacheable_for, Duration::from_secs(1));
    assert_eq!(verified.revocation_state_at, world.clock.now());
}

#[tokio::test]
async fn a_token_that_was_good_before_is_remembered() {
    let world = World::new().await;
    let (token, verify) = (signed_in(&world).await, world.verify());
    world.reader().run_once().await.unwrap();
    for (hits, misses) in [(0, 1), (1, 1), (2, 1)] {
        assert!(matches!(verify.run(&request(&token)).unwrap().verdict, Verdict::Active(_)));
        let remembered = verify.remembered();
        assert_eq!((remembered.tokens, remembered.hits, remembered.misses), (1, hits, misses));
    }
}

#[tokio::test]
async fn a_verdict_is_never_kept_beyond_the_expiry_of_the_token() {
    let world = World::new().await;
    let token = signed_in(&world).await;
    world.advance(world.settings.tokens.access_lifetime.saturating_sub(Duration::from_millis(300)));
    world.reader().run_once().await.unwrap();
    assert_eq!(world.verify().run(&request(&token)).unwrap().cacheable_for, Duration::from_millis(300));
    world.advance(Duration::from_millis(400));
    let verified = world.verify().run(&request(&token)).unwrap();
    assert_eq!(verified.cacheable_for, Duration::ZERO, "within the leeway");
}

#[tokio::test]
async fn nothing_is_judged_before_the_table_was_read_and_nothing_once_that_is_too_long_ago() {
    let world = World::new().await;
    let token = signed_in(&world).await;
    let stale = |answer: ServiceResult<Verified>| matches!(answer, Err(ServiceError::RevocationStateStale { .. }));
    assert!(stale(world.verify().run(&request(&token))));
    world.reader().run_once().await.unwrap();
    world.advance(world.settings.revocation.max_staleness);
    assert!(world.verify().run(&request(&token)).is_ok());
    world.advance(Duration::from_millis(1));
    assert!(stale(world.verify().run(&request(&token))));
    world.store.fail_with(Some(StoreError::Unavailable));
    assert!(world.reader().run_once().await.is_err());
    assert!(stale(world.verify().run(&request(&token))));
}

#[tokio::test]
async fn a_stepped_wall_clock_makes_nothing_fresh() {
    // promise R6
    let world = World::new().await;
    world.reader().run_once().await.unwrap();
    let start = world.clock.now();
    world.advance(world.settings.revocation.max_staleness + Duration::from_millis(1));
    world.clock.step_to(start);
    assert!(world.revocations.fresh().is_err());
}

#[tokio::test]
async fn what_another_replica_revoked_counts_after_the_next_reading() {
    // promise T8
    let world = World::new().await;
    let token = signed_in(&world).await;
    let reader = world.reader();
    reader.run_once().await.unwrap();
    assert!(matches!(world.verdict_from_memory(&token), Verdict::Active(_)));
    let Verdict::Active(claims) = world.verdict_from_memory(&token) else { panic!("not active") };
    let user = crate::domain::id::UserId::from_uuid(claims.sub);
    let expires_at = world.issuer.revocations_expire_at(world.clock.now());
    assert_eq!(world.store.disable(user, expires_at, &world.context()).len(), 1);
    assert!(matches!(world.verdict_from_memory(&token), Verdict::Active(_)));
    reader.run_once().await.unwrap();
    assert_eq!(world.verdict_from_memory(&token), Verdict::Revoked);
}

#[tokio::test]
async fn a_revocation_outlives_every_token_that_it_speaks_of() {
    // promise T8
    let world = World::new().await;
    let token = signed_in(&world).await;
    let Verdict::Active(claims) = world.verdict(&token).await else { panic!("not active") };
    let user = crate::domain::id::UserId::from_uuid(claims.sub);
    let expires_at = world.issuer.revocations_expire_at(world.clock.now());
    let revocations = world.store.disable(user, expires_at, &world.context());
    world.revoker.tell(&revocations).await;
    for _ in 0..700 {
        world.advance(Duration::from_secs(1));
        let verdict = world.verdict(&token).await;
        assert!(matches!(verdict, Verdict::Revoked | Verdict::Expired), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_batch_answers_in_order_over_many_slices() {
    let world = World::new().await;
    let token = signed_in(&world).await;
    world.reader().run_once().await.unwrap();
    let requests = (0..1_000).map(|number| request(if number % 3 == 0 { &token } else { "x" })).collect();
    let verdicts = world.verify().run_batch(requests).await.unwrap();
    assert_eq!(verdicts.len(), 1_000);
    for (number, verified) in verdicts.iter().enumerate() {
        assert_eq!(matches!(verified.verdict, Verdict::Active(_)), number % 3 == 0, "{number}");
    }
}

#[tokio::test]
async fn a_batch_on_a_stale_state_is_refused_as_a_whole() {
    let world = World::new().await;
    let answer = world.verify().run_batch(vec![request("x")]).await;
    assert!(matches!(answer, Err(ServiceError::RevocationStateStale { .. })));
}
