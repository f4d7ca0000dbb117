//! Registrations that are taken, refused and limited.

use std::time::Duration;

use keystead_verifier::Verdict;

use super::*;
use crate::domain::mail::MailKind;
use crate::service::settings::Settings;
use crate::service::testing::{World, email, origin};

const PASSWORD: &str = "correct horse battery";

fn request(address: &str, password: &str) -> RegisterRequest {
    RegisterRequest {
        email: email(address),
        password: Password::parse(password).unwrap(),
        display_name: Name::default(),
        device_name: Name::default(),
    }
}

#[tokio::test]
async fn a_registration_signs_in_and_a_second_one_finds_the_address_taken() {
    let world = World::new().await;
    let register = world.register(&world.hasher());
    let new = register.run(request("ada@example.org", PASSWORD), &origin(1)).await.unwrap();
    let Registered::SignedIn { user, token_set } = new else { panic!("not signed in") };
    let Verdict::Active(claims) = world.verdict(&token_set.access_token).await else { panic!("not active") };
    assert_eq!(claims.sub, user.id.as_uuid());
    let taken = register.run(request("Ada@Example.org", PASSWORD), &origin(1)).await;
    assert!(matches!(taken, Err(ServiceError::EmailTaken)), "{taken:?}");
}

// promises L2, M8
#[tokio::test]
async fn where_every_account_needs_a_second_factor_a_registration_signs_nobody_in() {
    let mut settings = Settings::default();
    settings.mfa.required_roles = vec![crate::domain::role::RoleName::parse("user").unwrap()];
    let world = World::with(settings).await;
    let new = world.register(&world.hasher()).run(request("ada@example.org", PASSWORD), &origin(1)).await;
    let Ok(Registered::Created(user)) = new else { panic!("{new:?}") };
    assert_eq!(world.find(user.id).await, user);
    let kinds: Vec<_> = world.store.mails().iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds, [MailKind::EmailVerification]);
}

#[tokio::test]
async fn a_weak_password_is_refused_with_its_field() {
    // promise P3
    let world = World::new().await;
    let register = world.register(&world.hasher());
    for password in ["short", "password", "ada@example.org"] {
        let weak = register.run(request("ada@example.org", password), &origin(1)).await;
        let Err(ServiceError::InvalidFields(fields)) = weak else { panic!("{weak:?}") };
        assert_eq!(fields.iter().map(|fault| fault.field.as_str()).collect::<Vec<_>>(), ["password"]);
    }
}

#[tokio::test]
async fn where_addresses_are_verified_first_a_known_one_gets_the_same_answer_and_the_owner_a_mail() {
    // promise L6
    let mut settings = Settings::default();
    settings.registration.verify_email = true;
    let world = World::with(settings).await;
    let register = world.register(&world.hasher());
    for _ in 0..2 {
        let answer = register.run(request("ada@example.org", PASSWORD), &origin(1)).await.unwrap();
        assert!(matches!(answer, Registered::MailSent), "{answer:?}");
    }
    let kinds: Vec<_> = world.store.mails().iter().map(|mail| mail.kind).collect();
    assert_eq!(kinds, [MailKind::EmailVerification, MailKind::RegistrationAttempt]);
}

#[tokio::test]
async fn a_closed_registration_says_so() {
    let mut settings = Settings::default();
    settings.registration.open = false;
    let world = World::with(settings).await;
    let answer = world.register(&world.hasher()).run(request("ada@example.org", PASSWORD), &origin(1)).await;
    assert!(matches!(answer, Err(ServiceError::RegistrationClosed)), "{answer:?}");
}

#[tokio::test]
async fn registrations_spend_the_budget_of_their_source() {
    // promise L1
    let mut settings = Settings::default();
    settings.limits.per_source.burst = 1;
    let world = World::with(settings).await;
    let register = world.register(&world.hasher());
    assert!(register.run(request("ada@example.org", PASSWORD), &origin(1)).await.is_ok());
    let limited = register.run(request("bob@example.org", PASSWORD), &origin(1)).await;
    assert!(matches!(limited, Err(ServiceError::RateLimited { .. })), "{limited:?}");
}

#[tokio::test]
async fn registrations_that_mail_spend_the_budget_of_mail_to_the_address() {
    // promise L1
    let mut settings = Settings::default();
    settings.registration.verify_email = true;
    settings.limits.mail_per_address_and_source.burst = 2;
    let world = World::with(settings).await;
    let register = world.register(&world.hasher());
    for _ in 0..2 {
        assert!(register.run(request("ada@example.org", PASSWORD), &origin(1)).await.is_ok());
    }
    let limited = register.run(request("ada@example.org", PASSWORD), &origin(1)).await;
    assert!(matches!(limited, Err(ServiceError::RateLimited { .. })), "{limited:?}");
    assert_eq!(world.store.mails().len(), 2);
}

#[tokio::test]
async fn a_ring_too_old_to_sign_with_leaves_no_account_behind() {
    let world = World::new().await;
    let register = world.register(&world.hasher());
    world.advance(world.settings.keys.publish_lead() + Duration::from_millis(1));
    let refused = register.run(request("ada@example.org", PASSWORD), &origin(1)).await;
    assert!(matches!(refused, Err(ServiceError::DependencyUnavailable { .. })), "{refused:?}");
    assert!(world.store.find_by_email(&email("ada@example.org")).await.unwrap().is_none());
}
