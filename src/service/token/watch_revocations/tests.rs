//! What a watcher is told, and when.

use keystead_verifier::Verdict;

use super::*;
use crate::domain::id::SessionId;
use crate::domain::ports::Sessions as _;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::role::RoleName;
use crate::domain::session::EndScope;
use crate::domain::user::User;
use crate::service::access::Need;
use crate::service::testing::{World, origin};
use crate::service::token::revocation_state::{MAX_TOLD, NEWS_KEPT};

/// A replica, and somebody who may watch it.
struct Scene {
    world: World,
    admission: Admission,
    user: User,
    bearer: String,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let user = world.user("verifier@example.org").await;
        let bearer = world.sign_in(&user).await.access_token;
        world.reader().run_once().await.unwrap();
        let need = Need::Role(RoleName::parse("verifier").unwrap());
        let admission = Admission::new(Arc::new(world.access()), &bearer, need, "WatchRevocations", origin(1));
        Self { world, admission, user, bearer }
    }

    async fn watch(&self, cursor: &str) -> ServiceResult<RevocationWatch> {
        let watch = WatchRevocations {
            table: Arc::new(self.world.store.clone()),
            state: self.world.revocations.clone(),
            keys: self.world.keys.clone(),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
        };
        watch.run(cursor, Some(self.admission.clone())).await
    }

    /// A revocation that lives for another hour.
    fn revocation(&self, number: u128) -> Revocation {
        let id = SessionId::from_uuid(uuid::Uuid::from_u128(number));
        let expires_at = self.world.clock.now().after(Duration::from_hours(1));
        Revocation { target: RevocationTarget::Session(id), expires_at }
    }

    fn revoke(&self, numbers: std::ops::Range<u128>) {
        let revocations: Vec<_> = numbers.map(|number| self.revocation(number)).collect();
        self.world.revocations.apply(&revocations);
    }

    /// A session that the table revokes and this replica has not read of.
    async fn end_session_elsewhere(&self) -> u128 {
        let tokens = self.world.sign_in(&self.user).await;
        let expires_at = self.world.clock.now().after(Duration::from_hours(1));
        let scope = EndScope::This(tokens.session_id);
        let ended = self.world.store.end(self.user.id, scope, expires_at, &self.world.context()).await;
        assert_eq!(ended.unwrap().len(), 1);
        tokens.session_id.as_uuid().as_u128()
    }
}

fn numbers(message: &RevocationMessage) -> Vec<u128> {
    let number = |revocation: &LiveRevocation| match revocation.target {
        RevokedTarget::Session(id) => id.as_u128(),
        RevokedTarget::User { .. } | RevokedTarget::Key(_) => panic!("no session"),
    };
    let mut numbers: Vec<_> = message.revocations.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// The messages until everything is told, which all but the last must not say.
async fn until_complete(watch: &mut RevocationWatch) -> (Vec<u128>, FeedCompleteness) {
    let mut told = Vec::new();
    loop {
        let message = watch.next().await.unwrap();
        assert!(message.revocations.len() <= MAX_REVOCATIONS);
        told.extend(numbers(&message));
        if let Some(completeness) = message.completeness {
            told.sort_unstable();
            return (told, completeness);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_holds_all_that_is_live_in_messages_of_bounded_size() {
    // Of some of these the last part of the index makes more than fits into a message.
    for count in (1_000..1_020).chain([3_500]) {
        let scene = Scene::new().await;
        scene.revoke(0..count);
        let (mut watch, began) = (scene.watch("").await.unwrap(), Instant::now());
        let (told, completeness) = until_complete(&mut watch).await;
        assert_eq!((told, began.elapsed()), ((0..count).collect::<Vec<_>>(), Duration::ZERO), "without a pause");
        assert_eq!((completeness.at, completeness.age), (scene.world.clock.now(), Duration::ZERO));
    }
}

// promise T8
#[tokio::test(start_paused = true)]
async fn what_is_revoked_while_a_snapshot_is_told_is_told_too() {
    let scene = Scene::new().await;
    scene.revoke(0..2_500);
    let mut watch = scene.watch("").await.unwrap();
    let mut told = numbers(&watch.next().await.unwrap());
    scene.revoke(2_500..4_000);
    told.extend(until_complete(&mut watch).await.0);
    told.sort_unstable();
    told.dedup();
    assert_eq!(told, (0..4_000).collect::<Vec<_>>());
}

// promise T8
#[tokio::test(start_paused = true)]
async fn news_come_at_once_and_a_heartbeat_every_second() {
    let scene = Scene::new().await;
    let mut watch = scene.watch("").await.unwrap();
    until_complete(&mut watch).await;
    let began = Instant::now();
    let (news, ()) = tokio::join!(watch.next(), async { scene.revoke(7..8) });
    assert_eq!(numbers(&news.unwrap()), [7]);
    assert_eq!(began.elapsed(), PACE, "what comes together is told together");
    scene.world.advance(Duration::from_millis(300));
    let began = Instant::now();
    let heartbeat = watch.next().await.unwrap();
    assert_eq!((began.elapsed(), numbers(&heartbeat)), (HEARTBEAT, vec![]));
    assert_eq!(heartbeat.completeness.unwrap().age, Duration::from_millis(300), "the table was not read since");
    scene.world.reader().run_once().await.unwrap();
    let completeness = watch.next().await.unwrap().completeness.unwrap();
    assert_eq!((completeness.at, completeness.age), (scene.world.clock.now(), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_already_is_no_news() {
    let scene = Scene::new().await;
    let mut watch = scene.watch("").await.unwrap();
    until_complete(&mut watch).await;
    scene.revoke(1..3);
    scene.revoke(2..4);
    assert_eq!(numbers(&watch.next().await.unwrap()), [1, 2, 3]);
}

// promise T8
#[tokio::test(start_paused = true)]
async fn a_cursor_goes_on_with_all_that_was_missed() {
    let scene = Scene::new().await;
    let early = scene.end_session_elsewhere().await;
    scene.world.reader().run_once().await.unwrap();
    let (told, completeness) = until_complete(&mut scene.watch("").await.unwrap()).await;
    assert_eq!(told, [early]);
    let read = scene.end_session_elsewhere().await;
    scene.world.reader().run_once().await.unwrap();
    let unread = scene.end_session_elsewhere().await;
    let (mut missed, _) = until_complete(&mut scene.watch(&completeness.cursor).await.unwrap()).await;
    missed.retain(|number| *number != early);
    let mut expected = vec![read, unread];
    expected.sort_unstable();
    assert_eq!(missed, expected);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_database_asks_for_a_snapshot_and_a_forged_one_is_refused() {
    let scene = Scene::new().await;
    scene.end_session_elsewhere().await;
    scene.world.reader().run_once().await.unwrap();
    let (_, completeness) = until_complete(&mut scene.watch("").await.unwrap()).await;
    let Err(forged) = scene.watch(&format!("{}A", completeness.cursor)).await else { panic!("forged") };
    assert!(matches!(forged, ServiceError::InvalidFields(_)));
    let ahead = scene.world.keys.ring().pages().issue(&scope(), &99_i64.to_be_bytes(), scene.world.entropy.as_ref());
    let Err(ahead) = scene.watch(&ahead).await else { panic!("of another database") };
    assert_eq!(ahead, ServiceError::CursorTooOld);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_loses_news_is_told_so() {
    let scene = Scene::new().await;
    let mut watch = scene.watch("").await.unwrap();
    until_complete(&mut watch).await;
    for number in 0..=NEWS_KEPT as u128 {
        scene.revoke(number..number + 1);
    }
    assert!(matches!(watch.next().await, Err(ServiceError::ReaderTooSlow { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_for_a_reader_who_has_stopped_is_bounded_however_much_one_reading_brings() {
    let scene = Scene::new().await;
    let mut news = scene.world.revocations.listen();
    scene.revoke(0..1_000);
    let mut told = 0;
    while let Ok(News::Revoked(part)) = news.try_recv() {
        assert!(part.len() <= MAX_TOLD, "{}", part.len());
        told += part.len();
    }
    assert_eq!(told, 1_000);
    let kept = NEWS_KEPT * MAX_TOLD * size_of::<LiveRevocation>();
    assert!(kept <= 4 * 1024 * 1024, "{kept} bytes");
}

// promise T8
#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_its_bearer() {
    let scene = Scene::new().await;
    let mut watch = scene.watch("").await.unwrap();
    until_complete(&mut watch).await;
    let Verdict::Active(claims) = scene.world.verdict_from_memory(&scene.bearer) else { panic!("active") };
    scene.revoke(claims.sid.as_u128()..claims.sid.as_u128() + 1);
    assert_eq!(watch.next().await.unwrap_err(), ServiceError::BearerRequired);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_does_not_know_says_so() {
    let scene = Scene::new().await;
    let mut watch = scene.watch("").await.unwrap();
    until_complete(&mut watch).await;
    scene.world.advance(scene.world.settings.revocation.max_staleness + Duration::from_millis(1));
    assert!(matches!(watch.next().await, Err(ServiceError::RevocationStateStale { .. })));
    assert!(matches!(scene.watch("").await, Err(ServiceError::RevocationStateStale { .. })));
}
