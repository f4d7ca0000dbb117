//! Who may take which rights from whom.

use std::sync::Arc;

use super::ChangeRights;
use super::disable_user::DisableUser;
use super::grant_role::GrantRole;
use super::revoke_role::RevokeRole;
use crate::domain::caller::Initiator;
use crate::domain::ports::Actor;
use crate::domain::role::RoleName;
use crate::domain::user::{ROLE_ADMIN, ROLE_USER, User, UserState};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::testing::{World, origin};

fn change(world: &World) -> Arc<ChangeRights> {
    Arc::new(ChangeRights {
        rights: Arc::new(world.store.clone()),
        revoker: world.revoker.clone(),
        clock: world.clock.clone(),
        token_reach: world.settings.tokens.reach(),
    })
}

fn role(name: &str) -> RoleName {
    RoleName::parse(name).unwrap()
}

fn word_of(user: &User) -> Initiator {
    Initiator { actor: Some(Actor { id: user.id.into(), session: None }), origin: origin(1) }
}

/// Two administrators.
async fn world() -> (World, User, User) {
    let world = World::new().await;
    let (ada, _) = world.administrator("a method").await;
    let bob = world.user("bob@example.com").await;
    let by = word_of(&ada);
    let bob = GrantRole { change: change(&world) }.run(bob.id, role(ROLE_ADMIN), &by).await.unwrap();
    (world, ada, bob)
}

async fn revoke(world: &World, from: &User, name: &str, by: &User) -> ServiceResult<User> {
    RevokeRole { change: change(world) }.run(from.id, role(name), &word_of(by)).await
}

// promise A4
#[tokio::test]
async fn nobody_demotes_themselves_and_others_do() {
    let (world, ada, bob) = world().await;
    assert_eq!(revoke(&world, &ada, ROLE_ADMIN, &ada).await, Err(ServiceError::SelfDemotion));
    let disable = DisableUser { change: change(&world) };
    assert_eq!(disable.run(ada.id, &word_of(&ada)).await, Err(ServiceError::SelfDemotion));
    assert!(revoke(&world, &ada, ROLE_ADMIN, &bob).await.unwrap().roles.iter().all(|held| held != ROLE_ADMIN));
    assert_eq!(disable.run(ada.id, &word_of(&bob)).await.unwrap().state, UserState::Disabled);
    assert_eq!(revoke(&world, &bob, ROLE_ADMIN, &ada).await, Err(ServiceError::LastAdmin));
}

#[tokio::test]
async fn whoever_gives_themselves_what_they_have_demotes_nobody() {
    let (world, ada, _) = world().await;
    let grant = GrantRole { change: change(&world) };
    assert_eq!(grant.run(ada.id, role(ROLE_ADMIN), &word_of(&ada)).await.unwrap().id, ada.id);
}

#[tokio::test]
async fn the_role_of_every_account_stays_with_it() {
    let (world, ada, bob) = world().await;
    assert_eq!(revoke(&world, &bob, ROLE_USER, &ada).await, Err(ServiceError::RoleBuiltIn));
    assert!(revoke(&world, &bob, ROLE_ADMIN, &ada).await.is_ok());
}
