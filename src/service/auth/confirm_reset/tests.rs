//! Resets that are confirmed, refused and repeated.

use std::time::Duration;

use keystead_verifier::Verdict;

use super::*;
use crate::crypto::one_time_token::mint;
use crate::domain::id::MailId;
use crate::domain::mail::{MailKind, PreparedMail};
use crate::domain::one_time_token::NewOneTimeToken;
use crate::domain::ports::{Outbox, Preparation, Users as _};
use crate::domain::user::User;
use crate::service::auth::confirm_email::{ConfirmEmail, ConfirmEmailRequest};
use crate::service::auth::request_reset::RequestResetRequest;
use crate::service::testing::{World, email, origin};

const PASSWORD: &str = "another horse battery";

fn confirm(world: &World, hasher: &Arc<PasswordHasher>) -> ConfirmReset {
    ConfirmReset {
        audit: Arc::new(world.store.clone()),
        tokens: Arc::new(world.store.clone()),
        hasher: hasher.clone(),
        guard: world.guard.clone(),
        issuer: world.issuer.clone(),
        revoker: world.revoker.clone(),
        clock: world.clock.clone(),
        policy: world.settings.passwords,
    }
}

fn confirm_email(world: &World) -> ConfirmEmail {
    let tokens = Arc::new(world.store.clone());
    ConfirmEmail { tokens, guard: world.guard.clone(), clock: world.clock.clone() }
}

fn request(token: &str, password: &str) -> ConfirmResetRequest {
    ConfirmResetRequest { reset_token: token.to_owned(), new_password: Password::parse(password).unwrap() }
}

/// A token as the worker mails it.
async fn mailed(world: &World, user: &User, purpose: TokenPurpose) -> String {
    let outbox: &dyn Outbox = &world.store;
    let now = world.clock.now();
    outbox.enqueue(MailKind::PasswordReset, &user.email, &world.context()).await.unwrap();
    let id: MailId = world.store.mails().last().unwrap().id;
    let minted = mint(purpose, world.entropy.as_ref());
    let (user_id, email, expires_at) = (user.id, user.email.clone(), now.after(Duration::from_mins(30)));
    let token = NewOneTimeToken { hash: minted.hash, purpose, user_id, email, epoch: user.epoch, expires_at };
    let prepared = PreparedMail { id, sealed: Vec::new(), token: Some(token) };
    assert_eq!(outbox.prepare(prepared, 10, now).await, Ok(Preparation::Stored));
    minted.text.to_string()
}

#[tokio::test]
async fn a_reset_ends_every_session_at_once_tells_the_owner_and_works_once() {
    // promises X2, X4, T8
    let world = World::new().await;
    let confirm = confirm(&world, &world.hasher());
    let user = world.user("ada@example.org").await;
    let tokens = world.sign_in(&user).await;
    world.reader().run_once().await.unwrap();
    let token = mailed(&world, &user, TokenPurpose::PasswordReset).await;
    assert_eq!(confirm.run(request(&token, PASSWORD), &origin(1)).await, Ok(()));
    assert_eq!(world.verdict_from_memory(&tokens.access_token), Verdict::Revoked);
    assert_eq!(world.store.mails().last().map(|mail| mail.kind), Some(MailKind::PasswordChanged));
    assert_eq!(confirm.run(request(&token, PASSWORD), &origin(1)).await, Err(ServiceError::InvalidToken));
    assert_eq!(world.told(AuditKind::PasswordChanged), 2, "the refused one is told too");
    let hash = world.store.find_by_email(&user.email).await.unwrap().unwrap().password_hash.unwrap();
    assert!(hash.as_str().starts_with("$argon2id$"));
}

#[tokio::test]
async fn a_weak_password_leaves_the_token_usable() {
    let world = World::new().await;
    let confirm = confirm(&world, &world.hasher());
    let user = world.user("ada@example.org").await;
    let token = mailed(&world, &user, TokenPurpose::PasswordReset).await;
    let weak = confirm.run(request(&token, "password"), &origin(1)).await;
    let Err(ServiceError::InvalidFields(fields)) = weak else { panic!("{weak:?}") };
    assert_eq!(fields[0].field, "new_password");
    assert_eq!(confirm.run(request(&token, PASSWORD), &origin(1)).await, Ok(()));
}

#[tokio::test]
async fn unknown_expired_replaced_and_foreign_tokens_get_one_answer() {
    // promises X1, X3, T6
    let world = World::new().await;
    let confirm = confirm(&world, &world.hasher());
    let user = world.user("ada@example.org").await;
    let older = mailed(&world, &user, TokenPurpose::PasswordReset).await;
    let newer = mailed(&world, &user, TokenPurpose::PasswordReset).await;
    let verification = mailed(&world, &user, TokenPurpose::EmailVerification).await;
    let refresh = world.sign_in(&user).await.refresh_token;
    for token in ["", "x", &older, &verification, &refresh] {
        assert_eq!(confirm.run(request(token, PASSWORD), &origin(1)).await, Err(ServiceError::InvalidToken), "{token}");
    }
    world.advance(Duration::from_mins(30));
    assert_eq!(confirm.run(request(&newer, PASSWORD), &origin(1)).await, Err(ServiceError::InvalidToken));
}

#[tokio::test]
async fn a_verification_token_verifies_once_and_a_reset_token_does_not() {
    // promise T6
    let world = World::new().await;
    let user = world.user("ada@example.org").await;
    let confirm = confirm_email(&world);
    let reset = mailed(&world, &user, TokenPurpose::PasswordReset).await;
    let token = mailed(&world, &user, TokenPurpose::EmailVerification).await;
    let request = |token: &str| ConfirmEmailRequest { verification_token: token.to_owned() };
    assert_eq!(confirm.run(request(&reset), &origin(1)).await, Err(ServiceError::InvalidToken));
    assert!(confirm.run(request(&token), &origin(1)).await.unwrap().email_verified);
    assert_eq!(confirm.run(request(&token), &origin(1)).await, Err(ServiceError::InvalidToken));
}

#[tokio::test]
async fn guessing_tokens_spends_the_budget_of_the_source() {
    // promise L1
    let world = World::new().await;
    let confirm = confirm(&world, &world.hasher());
    for _ in 0..world.settings.limits.per_source.burst / 2 {
        assert_eq!(confirm.run(request("x", PASSWORD), &origin(1)).await, Err(ServiceError::InvalidToken));
        let request = ConfirmEmailRequest { verification_token: "x".to_owned() };
        let answer = confirm_email(&world).run(request, &origin(1)).await;
        assert_eq!(answer, Err(ServiceError::InvalidToken));
    }
    let limited = confirm.run(request("x", PASSWORD), &origin(1)).await;
    assert!(matches!(limited, Err(ServiceError::RateLimited { .. })), "{limited:?}");
    assert_eq!(confirm.run(request("x", PASSWORD), &origin(2)).await, Err(ServiceError::InvalidToken));
}

#[tokio::test]
async fn requests_for_mail_are_limited_alike_for_known_and_unknown_addresses() {
    // promises L2, L6
    let world = World::new().await;
    world.user("ada@example.org").await;
    let burst = world.settings.limits.mail_per_address_and_source.burst;
    for address in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..burst {
            assert_eq!(world.request_reset().run(reset_of(address), &origin(1)).await, Ok(()));
        }
        let limited = world.request_reset().run(reset_of(address), &origin(1)).await;
        assert!(matches!(limited, Err(ServiceError::RateLimited { .. })), "{limited:?}");
        assert_eq!(world.request_reset().run(reset_of(address), &origin(2)).await, Ok(()), "the owner's own source");
    }
}

fn reset_of(address: &str) -> RequestResetRequest {
    RequestResetRequest { email: email(address) }
}
