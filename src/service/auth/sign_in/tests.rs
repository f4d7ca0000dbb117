//! Tokens or a challenge, whatever the first factor was.

use crate::domain::audit::AuditKind;
use crate::domain::role::RoleName;
use crate::domain::second_factor::ChallengePurpose;
use crate::domain::session::Rehash;
use crate::domain::user::PasswordHash;
use crate::service::auth::refresh::RefreshRequest;
use crate::service::auth::session_opener::{METHOD_PASSWORD, Opening};
use crate::service::auth::sign_in::{Finished, SignedIn};
use crate::service::error::ServiceError;
use crate::service::settings::Settings;
use crate::service::testing::factors::tokens;
use crate::service::testing::{World, origin};

/// A world in which `ops` asks for a second factor.
async fn strict() -> World {
    let mut settings = Settings::default();
    settings.mfa.required_roles = vec![RoleName::parse("ops").unwrap()];
    World::with(settings).await
}

fn opening(world: &World, user: crate::domain::user::User) -> Opening {
    Opening {
        methods: vec![METHOD_PASSWORD.to_owned()],
        audience: world.issuer.audience("").unwrap(),
        device_name: crate::domain::name::Name::default(),
        attempt: world.guard.attempt_keys(&user.email, &origin(1)),
        rehash: None,
        user,
    }
}

// promise M6
#[tokio::test]
async fn an_account_with_a_second_factor_gets_a_challenge_and_no_tokens() {
    let world = World::new().await;
    let ada = world.user("ada@example.org").await;
    drop(tokens(world.finish(&ada).await));
    world.enroll(&ada).await;
    let challenge = world.challenged(&ada, ChallengePurpose::Completion).await;
    assert_eq!(world.told(AuditKind::LoginChallenged), 1);
    let shown = format!("{challenge:?}");
    assert!(shown.contains("Completion") && !shown.contains(challenge.token.as_str()), "{shown}");
}

// promise M6
#[tokio::test]
async fn a_factor_that_is_enrolled_meanwhile_leaves_no_way_past_it() {
    let world = World::new().await;
    let ada = world.user("ada@example.org").await;
    world.enroll(&ada).await;
    let read_before = world.finisher().finish(opening(&world, ada), &origin(1)).await.unwrap();
    assert!(matches!(read_before, Finished::UserChanged));
}

// promise M8
#[tokio::test]
async fn whoever_needs_a_second_factor_and_has_none_can_only_enrol_one() {
    let world = strict().await;
    let ada = world.user("ada@example.org").await;
    let before = tokens(world.finish(&ada).await);
    assert!(world.store.edit_user(ada.id, |user| user.roles.push("ops".to_owned())));
    world.challenged(&ada, ChallengePurpose::Enrollment).await;
    let refresh = RefreshRequest { refresh_token: before.refresh_token };
    assert_eq!(world.refresh().run(refresh, &origin(1)).await, Err(ServiceError::MfaRequired));
}

// promises L2, M8
#[tokio::test]
async fn nobody_enrols_by_a_sign_in_for_an_address_that_is_not_theirs() {
    let mut settings = Settings::default();
    settings.mfa.required_roles = vec![RoleName::parse("user").unwrap()];
    let world = World::with(settings).await;
    let ada = world.user("ada@example.org").await;
    let finish = async || {
        let opening = opening(&world, world.find(ada.id).await);
        world.finisher().finish(opening, &origin(1)).await.unwrap()
    };
    assert!(matches!(finish().await, Finished::EmailNotVerified));
    assert_eq!(world.told(AuditKind::LoginChallenged), 0);
    world.verify_address(&ada).await;
    world.challenged(&ada, ChallengePurpose::Enrollment).await;
}

// promise P4
#[tokio::test]
async fn an_outdated_hash_is_renewed_although_nobody_is_signed_in_yet() {
    let world = World::new().await;
    let ada = world.user("ada@example.org").await;
    world.enroll(&ada).await;
    let ada = world.find(ada.id).await;
    let rehash = Some(Rehash { from: PasswordHash::new("none"), to: PasswordHash::new("renewed") });
    let finished = world.finisher().finish(Opening { rehash, ..opening(&world, ada) }, &origin(1)).await.unwrap();
    assert!(matches!(finished, Finished::Done(SignedIn::Challenge(_))));
    assert_eq!(world.told(AuditKind::PasswordRehashed), 1);
}
