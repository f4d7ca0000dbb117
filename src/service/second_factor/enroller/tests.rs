//! What an authenticator is given.

use crate::service::error::ServiceError;
use crate::service::settings::Settings;
use crate::service::testing::World;
use crate::service::testing::factors::Authenticator;

// promise M1
#[tokio::test]
async fn the_uri_holds_all_that_an_authenticator_needs_and_nothing_that_it_misreads() {
    let mut settings = Settings::default();
    settings.mfa.issuer = "Köln & Söhne".to_owned();
    let world = World::with(settings).await;
    let ada = world.user("ada+home@example.org").await;
    let enrollment = world.enroller().begin(&ada).unwrap();
    assert_eq!(enrollment.secret.len(), 32, "20 bytes in base32");
    let issuer = "K%C3%B6ln%20%26%20S%C3%B6hne";
    let expected = format!(
        "otpauth://totp/{issuer}:ada%2Bhome%40example.org?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        *enrollment.secret
    );
    assert_eq!(*enrollment.otpauth_uri, expected);
    assert!(enrollment.qr_code_png.starts_with(b"\x89PNG\r\n\x1a\n"));
}

// promise M4
#[tokio::test]
async fn an_enrolment_is_confirmed_in_time_by_its_own_user_with_a_right_code() {
    let world = World::new().await;
    let (ada, bob) = (world.user("ada@example.org").await, world.user("bob@example.org").await);
    let enrollment = world.enroller().begin(&ada).unwrap();
    let authenticator = Authenticator::reading(&enrollment);
    let confirm = |user, distance| {
        let code = authenticator.code(&world, distance);
        world.enroller().confirm(user, &enrollment.token, code).map(|(_, codes)| codes.len())
    };
    assert_eq!(confirm(&ada, 0), Ok(10));
    assert_eq!(confirm(&ada, 2), Err(ServiceError::InvalidCode));
    assert_eq!(confirm(&bob, 0), Err(ServiceError::InvalidToken));
    world.advance(world.settings.mfa.challenge_lifetime);
    assert_eq!(confirm(&ada, 0), Err(ServiceError::InvalidToken));
}
