//! Reading the trail: pages that nobody else's token opens, and a watch that goes on where it was.

use std::sync::Arc;
use std::time::Duration;

use super::list::{AuditPage, ListAuditEvents, ListAuditEventsRequest};
use super::watch::{AuditWatch, WatchAuditEvents};
use crate::domain::audit::AuditKind;
use crate::domain::audit_trail::AuditFilter;
use crate::domain::id::PrincipalId;
use crate::domain::user::UserState;
use crate::service::access::admission::Admission;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::testing::World;

async fn list(world: &World, filter: &AuditFilter, token: &str, caller: PrincipalId) -> ServiceResult<AuditPage> {
    let list = ListAuditEvents {
        trail: Arc::new(world.store.clone()),
        keys: world.keys.clone(),
        entropy: world.entropy.clone(),
    };
    let request = ListAuditEventsRequest { filter: filter.clone(), page_size: 2, page_token: token.to_owned() };
    list.run(request, caller).await
}

fn of_kinds(kinds: &[AuditKind]) -> AuditFilter {
    AuditFilter { kinds: kinds.to_vec(), ..AuditFilter::default() }
}

fn created() -> AuditFilter {
    of_kinds(&[AuditKind::UserCreated])
}

async fn watch(world: &World, cursor: &str, admission: &Admission) -> ServiceResult<AuditWatch> {
    let watch = WatchAuditEvents {
        trail: Arc::new(world.store.clone()),
        keys: world.keys.clone(),
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
    };
    watch.run(created(), cursor, admission.clone()).await
}

// promise A6
#[tokio::test]
async fn pages_go_on_for_their_caller_and_question_alone() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(world.user(&format!("ada{number}@example.com")).await.id.into());
    }
    let (caller, other): (PrincipalId, PrincipalId) = (ids[0], ids[1]);
    let (mut token, mut subjects) = (String::new(), Vec::new());
    loop {
        let page = list(&world, &created(), &token, caller).await.unwrap();
        subjects.extend(page.events.into_iter().filter_map(|event| event.subject));
        let Some(next) = page.next_page_token else { break };
        token = next;
    }
    subjects.reverse();
    assert_eq!(subjects, ids);
    let both = of_kinds(&[AuditKind::UserCreated, AuditKind::LoginFailed]);
    for (filter, caller) in [(created(), other), (both, caller), (AuditFilter::default(), caller)] {
        let refused = list(&world, &filter, &token, caller).await;
        assert!(matches!(refused, Err(ServiceError::InvalidFields(_))), "{filter:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_what_is_new_and_another_one_goes_on_after_it() {
    let world = World::new().await;
    let (_, admission) = world.administrator("WatchAuditEvents").await;
    let mut first = watch(&world, "", &admission).await.unwrap();
    let begun = first.next().await.unwrap();
    assert!(begun.events.is_empty(), "what was before is not told");
    let ada = world.user("ada@example.com").await;
    let told = first.next().await.unwrap();
    assert_eq!(told.events.len(), 1);
    assert_eq!(told.events[0].subject, Some(ada.id.into()));
    for (cursor, expected) in [(begun.cursor, 1), (told.cursor, 0)] {
        let mut second = watch(&world, &cursor, &admission).await.unwrap();
        assert_eq!(second.next().await.unwrap().events.len(), expected);
    }
    world.advance(Duration::from_secs(5));
    assert!(first.next().await.unwrap().events.is_empty(), "a heartbeat");
}

// promise A6
#[tokio::test]
async fn a_cursor_that_is_none_is_refused() {
    let world = World::new().await;
    let (user, admission) = world.administrator("WatchAuditEvents").await;
    world.user("ada@example.com").await;
    world.user("bob@example.com").await;
    let page_token = list(&world, &created(), "", user.id.into()).await.unwrap().next_page_token.unwrap();
    for cursor in ["0", "garbage", page_token.as_str()] {
        let refused = watch(&world, cursor, &admission).await.map(|_| ());
        assert!(matches!(refused, Err(ServiceError::InvalidFields(_))), "{cursor}");
    }
}

// promise T8
#[tokio::test]
async fn a_watch_ends_when_its_caller_may_not_go_on() {
    let world = World::new().await;
    let (user, admission) = world.administrator("WatchAuditEvents").await;
    let mut told = watch(&world, "", &admission).await.unwrap();
    told.next().await.unwrap();
    assert!(world.store.edit_user(user.id, |user| user.roles.clear()));
    assert_eq!(told.next().await.map(|_| ()), Err(ServiceError::RoleRequired));
    assert!(world.store.edit_user(user.id, |user| user.state = UserState::Disabled));
    assert_eq!(told.next().await.map(|_| ()), Err(ServiceError::BearerRequired));
}

#[tokio::test]
async fn a_watch_ends_with_its_callers_token() {
    let world = World::new().await;
    let (_, admission) = world.administrator("WatchAuditEvents").await;
    let mut told = watch(&world, "", &admission).await.unwrap();
    world.advance(world.settings.tokens.access_lifetime + world.settings.tokens.leeway + Duration::from_secs(1));
    world.reader().run_once().await.unwrap();
    assert_eq!(told.next().await.map(|_| ()), Err(ServiceError::BearerRequired));
}
