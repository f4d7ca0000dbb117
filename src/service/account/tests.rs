//! What users see of their account, and do to it.

use std::sync::Arc;

use keystead_verifier::Verdict;

use super::delete_me::DeleteMe;
use super::get_me::GetMe;
use super::list_sessions::ListSessions;
use super::revoke_session::RevokeSession;
use super::update_me::{UpdateMe, UpdateMeRequest};
use crate::domain::audit::AuditKind;
use crate::domain::caller::{Caller, CallerKind};
use crate::domain::id::SessionId;
use crate::domain::language::Language;
use crate::domain::ports::Users as _;
use crate::domain::ports::profiles::ProfileChange;
use crate::domain::user::{Revision, User};
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::auth::token_set::TokenSet;
use crate::service::error::ServiceError;
use crate::service::second_factor::describer::FactorStanding;
use crate::service::testing::{World, origin};

/// An account with a session, and the caller in it.
async fn signed_in() -> (World, User, TokenSet, Caller) {
    let world = World::new().await;
    let user = world.user("ada@example.org").await;
    let tokens = world.sign_in(&user).await;
    let caller = world.caller(&tokens).await;
    (world, user, tokens, caller)
}

fn get_me(world: &World) -> GetMe {
    GetMe { users: Arc::new(world.store.clone()), describer: world.describer() }
}

fn update_me(world: &World) -> UpdateMe {
    UpdateMe { profiles: Arc::new(world.store.clone()), clock: world.clock.clone() }
}

fn list_sessions(world: &World) -> ListSessions {
    ListSessions { sessions: Arc::new(world.store.clone()), clock: world.clock.clone() }
}

fn revoke_session(world: &World) -> RevokeSession {
    RevokeSession { ender: world.ender() }
}

fn to_german(expected: Option<Revision>) -> UpdateMeRequest {
    let language = Language::parse("de").ok();
    UpdateMeRequest { change: ProfileChange { language, ..ProfileChange::default() }, expected }
}

#[tokio::test]
async fn a_caller_sees_their_own_account() {
    // promise A2
    let (world, user, _, caller) = signed_in().await;
    world.user("bob@example.org").await;
    let me = get_me(&world).run(&caller).await.unwrap();
    assert_eq!((me.user, me.factor), (user, FactorStanding { enrolled: None, is_required: false }));
}

#[tokio::test]
async fn the_bearer_of_an_account_that_is_gone_is_no_bearer() {
    let (world, user, _, caller) = signed_in().await;
    let elsewhere = World::new().await;
    let machine = Caller { kind: CallerKind::ServiceAccount, ..caller.clone() };
    for (world, caller) in [(&elsewhere, &caller), (&world, &machine)] {
        assert_eq!(get_me(world).run(caller).await, Err(ServiceError::BearerRequired));
        let updated = update_me(world).run(to_german(None), caller, &origin(1)).await;
        assert_eq!(updated, Err(ServiceError::BearerRequired));
    }
    assert_eq!(world.find(user.id).await, user);
}

#[tokio::test]
async fn an_update_gives_the_account_as_it_then_stands_and_is_told() {
    let (world, user, _, caller) = signed_in().await;
    let updated = update_me(&world).run(to_german(Some(user.revision)), &caller, &origin(1)).await.unwrap();
    assert_eq!((updated.language.as_str(), updated.revision), ("de", Revision(1)));
    assert_eq!(get_me(&world).run(&caller).await.unwrap().user, updated);
    let told = world.store.audit_events().pop().unwrap().0;
    assert_eq!((told.kind, told.detail.as_deref()), (AuditKind::UserUpdated, Some("language")));
    assert_eq!((told.actor, told.session), (Some(caller.id), Some(caller.session)));
}

#[tokio::test]
async fn an_update_decided_on_an_older_account_is_refused() {
    let (world, user, _, caller) = signed_in().await;
    let moved = update_me(&world).run(to_german(Some(Revision(9))), &caller, &origin(1)).await;
    assert_eq!(moved, Err(ServiceError::EtagMismatch));
    assert_eq!(world.find(user.id).await, user);
}

#[tokio::test]
async fn a_caller_lists_their_own_sessions_with_their_source() {
    let (world, user, tokens, caller) = signed_in().await;
    let bob = world.user("bob@example.org").await;
    world.sign_in(&bob).await;
    let second = world.sign_in(&user).await;
    let listed = list_sessions(&world).run(&caller).await.unwrap();
    let ids: Vec<SessionId> = listed.iter().map(|session| session.id).collect();
    assert_eq!(ids, [second.session_id, tokens.session_id]);
    assert!(listed.iter().all(|session| session.source == origin(1).source));
}

#[tokio::test]
async fn a_session_ends_at_once_and_once() {
    // promise T8
    let (world, user, tokens, caller) = signed_in().await;
    let other = world.sign_in(&user).await;
    let revoke = revoke_session(&world);
    assert_eq!(revoke.run(other.session_id, &caller, &origin(1)).await, Ok(()));
    assert_eq!(world.verdict_from_memory(&other.access_token), Verdict::Revoked);
    let again = revoke.run(other.session_id, &caller, &origin(1)).await;
    assert_eq!(again, Err(ServiceError::SessionUnknown));
    assert_eq!(revoke.run(tokens.session_id, &caller, &origin(1)).await, Ok(()), "the current one may end too");
    assert_eq!(world.verdict_from_memory(&tokens.access_token), Verdict::Revoked);
    assert_eq!(world.told(AuditKind::SessionEnded), 2);
}

#[tokio::test]
async fn the_session_of_another_is_as_unknown_as_none() {
    // promise A2
    let (world, _, _, caller) = signed_in().await;
    let bob = world.user("bob@example.org").await;
    let of_bob = world.sign_in(&bob).await;
    let absent = SessionId::generate(world.clock.as_ref(), world.entropy.as_ref());
    for session in [of_bob.session_id, absent] {
        let answer = revoke_session(&world).run(session, &caller, &origin(1)).await;
        assert_eq!(answer, Err(ServiceError::SessionUnknown));
    }
    assert!(matches!(world.verdict(&of_bob.access_token).await, Verdict::Active(_)));
}

fn delete_me(world: &World) -> DeleteMe {
    let delete = DeleteUser {
        users: Arc::new(world.store.clone()),
        rights: Arc::new(world.store.clone()),
        guard: world.guard.clone(),
        revoker: world.revoker.clone(),
        clock: world.clock.clone(),
        token_reach: world.settings.tokens.reach(),
    };
    DeleteMe { delete: Arc::new(delete) }
}

#[tokio::test]
async fn a_caller_who_deletes_their_account_is_nobody_from_then_on() {
    // promises D1, T8
    let (world, user, tokens, caller) = signed_in().await;
    let bob = world.user("bob@example.org").await;
    assert_eq!(delete_me(&world).run(&caller, &origin(1)).await, Ok(()));
    assert_eq!(world.verdict_from_memory(&tokens.access_token), Verdict::Revoked);
    assert_eq!(delete_me(&world).run(&caller, &origin(1)).await, Err(ServiceError::BearerRequired));
    assert_eq!(world.told(AuditKind::UserDeleted), 1);
    assert_eq!(world.find(bob.id).await, bob);
    assert!(world.store.find_by_email(&user.email).await.unwrap().is_none());
}

#[tokio::test]
async fn the_last_administrator_stays() {
    // promise A4
    let (world, user, _, caller) = signed_in().await;
    assert!(world.store.edit_user(user.id, |user| user.roles = vec!["admin".to_owned(), "user".to_owned()]));
    assert_eq!(delete_me(&world).run(&caller, &origin(1)).await, Err(ServiceError::LastAdmin));
    assert_eq!(world.find(user.id).await.id, user.id);
}
