//! Who is let in, as whom, and how often a refusal is told.

use super::*;
use crate::domain::user::{ROLE_ADMIN, User};
use crate::service::testing::{World, origin};

const METHOD: &str = "DisableUser";

fn own(recent_login: bool) -> Need {
    Need::OwnBearer { recent_login }
}

fn admin() -> Need {
    Need::Role(RoleName::parse(ROLE_ADMIN).unwrap())
}

/// A world with an account that holds these roles, and a bearer of its.
async fn signed_in(roles: &[&str]) -> (World, User, String) {
    let world = World::new().await;
    let id = world.user("ada@example.com").await.id;
    assert!(world.store.edit_user(id, |user| user.roles = roles.iter().map(|role| (*role).to_owned()).collect()));
    let user = world.find(id).await;
    let bearer = world.sign_in(&user).await.access_token;
    world.reader().run_once().await.unwrap();
    (world, user, bearer)
}

async fn check(world: &World, bearer: &str, need: &Need) -> ServiceResult<Caller> {
    world.access().run(bearer, need, METHOD, &origin(1)).await
}

// promise A2
#[tokio::test]
async fn the_caller_is_who_the_token_says() {
    let (world, user, bearer) = signed_in(&["user", "admin"]).await;
    for need in [own(true), admin()] {
        let caller = check(&world, &bearer, &need).await.unwrap();
        assert_eq!((caller.user(), caller.kind), (Some(user.id), CallerKind::User));
        assert_eq!((caller.authenticated_at, caller.roles.as_slice()), (world.clock.now(), user.roles.as_slice()));
        assert_eq!(caller.expires_at, world.clock.now().after(world.settings.tokens.access_lifetime));
    }
}

// promise A1
#[tokio::test]
async fn what_is_no_good_token_meant_for_keystead_is_no_bearer() {
    let (world, _, bearer) = signed_in(&["user", "admin"]).await;
    for bad in ["", "garbage", &format!("{bearer}x"), &bearer[1..]] {
        assert_eq!(check(&world, bad, &own(false)).await, Err(ServiceError::BearerRequired), "{bad}");
    }
    world.advance(world.settings.tokens.access_lifetime + 2 * world.settings.tokens.leeway);
    world.reader().run_once().await.unwrap();
    assert_eq!(check(&world, &bearer, &own(false)).await, Err(ServiceError::BearerRequired));
}

// promise A1
#[tokio::test]
async fn a_token_for_another_audience_is_no_bearer() {
    let mut settings = crate::service::settings::Settings::default();
    settings.tokens.default_audiences = vec!["shop".to_owned()];
    let world = World::with(settings).await;
    let user = world.user("ada@example.com").await;
    let bearer = world.sign_in(&user).await.access_token;
    world.reader().run_once().await.unwrap();
    assert_eq!(check(&world, &bearer, &own(false)).await, Err(ServiceError::BearerRequired));
}

#[tokio::test]
async fn a_fresh_sign_in_is_at_most_five_minutes_old() {
    let (world, _, bearer) = signed_in(&["user"]).await;
    world.advance(RECENT);
    world.reader().run_once().await.unwrap();
    assert!(check(&world, &bearer, &own(true)).await.is_ok());
    world.advance(Duration::from_millis(1));
    assert_eq!(check(&world, &bearer, &own(true)).await, Err(ServiceError::ReauthenticationRequired));
    assert!(check(&world, &bearer, &own(false)).await.is_ok());
}

// promise A1
#[tokio::test]
async fn roles_and_state_are_read_again_and_not_believed() {
    let (world, user, bearer) = signed_in(&["user", "admin"]).await;
    assert!(check(&world, &bearer, &admin()).await.is_ok());
    assert!(world.store.edit_user(user.id, |user| user.roles = vec!["user".to_owned()]));
    assert_eq!(check(&world, &bearer, &admin()).await, Err(ServiceError::RoleRequired));
    assert!(world.store.edit_user(user.id, |user| user.roles.push("admin".to_owned())));
    assert!(check(&world, &bearer, &admin()).await.is_ok());
    assert!(world.store.edit_user(user.id, |user| user.epoch = Epoch(user.epoch.0 + 1)));
    assert_eq!(check(&world, &bearer, &admin()).await, Err(ServiceError::BearerRequired));
    assert!(world.store.edit_user(user.id, |user| user.epoch = Epoch(user.epoch.0 - 1)));
    assert!(world.store.edit_user(user.id, |user| user.state = UserState::Disabled));
    assert_eq!(check(&world, &bearer, &admin()).await, Err(ServiceError::BearerRequired));
}

// promise G1
#[tokio::test]
async fn a_refused_caller_is_told_once_a_method_and_minute() {
    let (world, user, bearer) = signed_in(&["user"]).await;
    let access = world.access();
    let refused = async |method: &str| access.run(&bearer, &admin(), method, &origin(1)).await;
    for _ in 0..3 {
        assert_eq!(refused(METHOD).await, Err(ServiceError::RoleRequired));
    }
    assert_eq!(world.told(AuditKind::PermissionDenied), 1);
    let (told, _) = world.store.audit_events().pop().unwrap();
    let expected = (AuditOutcome::Failure, Some(user.id.into()), Some(METHOD));
    assert_eq!((told.outcome, told.actor, told.detail.as_deref()), expected);
    assert_eq!(refused("GetUser").await, Err(ServiceError::RoleRequired));
    assert_eq!(world.told(AuditKind::PermissionDenied), 2);
    world.advance(Duration::from_mins(1));
    world.reader().run_once().await.unwrap();
    assert_eq!(refused(METHOD).await, Err(ServiceError::RoleRequired));
    assert_eq!(world.told(AuditKind::PermissionDenied), 3);
}

#[tokio::test]
async fn what_cannot_be_known_is_no_refusal() {
    let (world, _, bearer) = signed_in(&["user", "admin"]).await;
    world.store.fail_with(Some(crate::domain::ports::StoreError::Unavailable));
    let answer = check(&world, &bearer, &admin()).await;
    assert!(matches!(answer, Err(ServiceError::DependencyUnavailable { .. })), "{answer:?}");
    assert!(check(&world, &bearer, &own(false)).await.is_ok(), "from memory alone");
}
