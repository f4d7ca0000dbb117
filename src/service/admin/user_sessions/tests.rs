//! Sessions that administrators look at and end.

use std::sync::Arc;

use keystead_verifier::Verdict;

use super::list::ListUserSessions;
use super::revoke::{RevokeUserSessions, RevokeUserSessionsRequest};
use crate::domain::audit::AuditKind;
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, UserId};
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::testing::{World, origin};

/// An account, and an administrator who calls.
async fn scene() -> (World, User, Caller) {
    let world = World::new().await;
    let admin = world.user("admin@example.org").await;
    let tokens = world.sign_in(&admin).await;
    let caller = world.caller(&tokens).await;
    let user = world.user("ada@example.org").await;
    (world, user, caller)
}

async fn list(world: &World, user: UserId) -> ServiceResult<Vec<SessionId>> {
    let store = Arc::new(world.store.clone());
    let list = ListUserSessions { users: store.clone(), sessions: store, clock: world.clock.clone() };
    Ok(list.run(user).await?.into_iter().map(|session| session.id).collect())
}

async fn revoke(world: &World, user: UserId, session: Option<SessionId>, by: &Caller) -> ServiceResult<()> {
    let revoke = RevokeUserSessions { users: Arc::new(world.store.clone()), ender: world.ender() };
    revoke.run(RevokeUserSessionsRequest { user, session }, &by.initiates(&origin(1))).await
}

#[tokio::test]
async fn one_session_ends_or_all_of_them_and_never_those_of_others() {
    // promise T8
    let (world, user, admin) = scene().await;
    let opened = [world.sign_in(&user).await, world.sign_in(&user).await, world.sign_in(&user).await];
    assert_eq!(revoke(&world, user.id, Some(opened[0].session_id), &admin).await, Ok(()));
    assert_eq!(world.verdict_from_memory(&opened[0].access_token), Verdict::Revoked);
    assert_eq!(list(&world, user.id).await, Ok(vec![opened[2].session_id, opened[1].session_id]));
    assert_eq!(revoke(&world, user.id, None, &admin).await, Ok(()));
    assert_eq!(list(&world, user.id).await, Ok(Vec::new()));
    assert_eq!(list(&world, admin.user().unwrap()).await, Ok(vec![admin.session]));
    let ended = world.store.audit_events().into_iter().map(|(event, _)| event);
    let ended: Vec<_> = ended.filter(|event| event.kind == AuditKind::SessionEnded).collect();
    assert_eq!(ended.len(), 3);
    assert!(ended.iter().all(|event| event.actor == Some(admin.id) && event.subject == Some(user.id.into())));
}

#[tokio::test]
async fn all_may_be_none_but_one_must_be_the_accounts_own() {
    let (world, user, admin) = scene().await;
    assert_eq!(revoke(&world, user.id, None, &admin).await, Ok(()));
    let absent = SessionId::generate(world.clock.as_ref(), world.entropy.as_ref());
    for session in [absent, admin.session] {
        let answer = revoke(&world, user.id, Some(session), &admin).await;
        assert_eq!(answer, Err(ServiceError::SessionUnknown));
    }
    assert_eq!(list(&world, admin.user().unwrap()).await, Ok(vec![admin.session]));
}

#[tokio::test]
async fn nobody_has_no_sessions() {
    let (world, _, admin) = scene().await;
    let nobody = UserId::generate(world.clock.as_ref(), world.entropy.as_ref());
    assert_eq!(list(&world, nobody).await, Err(ServiceError::UserUnknown));
    for session in [None, Some(admin.session)] {
        assert_eq!(revoke(&world, nobody, session, &admin).await, Err(ServiceError::UserUnknown));
    }
}
