//! `RequestEmailVerification` and `ConfirmEmail`.

use std::time::Duration;

use tonic::Code;

use crate::harness::mailbox::VERIFICATION;
use crate::harness::{Backend, Keystead, Person, on_each_backend};

async fn the_mailed_token_verifies_the_address_once(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    let token = keystead.mailbox().verification_token(&person.email).await;
    let user = client.verify_email(&token).await.expect("the account");
    assert!(user.email_verified);
    assert_eq!(user.email, person.email);
    client.verify_email(&token).await.expect_err("a used token").is(Code::Unauthenticated, "INVALID_TOKEN");
}

// promises X1, X3
async fn a_newer_token_kills_the_older_and_time_kills_both(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    let older = keystead.mailbox().verification_token(&person.email).await;
    client.ask_for_verification(&person.email).await.expect("taken");
    let newer = keystead.mailbox().token(&person.email, VERIFICATION, 1).await;
    client.verify_email(&older).await.expect_err("a replaced token").is(Code::Unauthenticated, "INVALID_TOKEN");
    keystead.clock.advance(Duration::from_secs(30 * 60 + 1));
    client.verify_email(&newer).await.expect_err("an expired token").is(Code::Unauthenticated, "INVALID_TOKEN");
}

async fn unknown_addresses_are_answered_alike_and_get_no_mail(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    client.ask_for_verification("nobody@example.com").await.expect("taken");
    let person = Person::new("known");
    person.register(&client).await;
    keystead.mailbox().verification_token(&person.email).await;
    assert!(keystead.mailbox().to("nobody@example.com").is_empty());
}

on_each_backend!(
    the_mailed_token_verifies_the_address_once,
    a_newer_token_kills_the_older_and_time_kills_both,
    unknown_addresses_are_answered_alike_and_get_no_mail,
);
