//! `RequestReset` and `ConfirmReset`: one use, one owner, every session ended.

use std::time::Duration;

use keystead::grpc::pb::TokenStatus;
use tonic::Code;

use crate::harness::mailbox::RESET;
use crate::harness::{Backend, Client, Keystead, Person, on_each_backend, until};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";

async fn refused(client: &Client, token: &str) {
    let failure = client.set_password(token, NEW_PASSWORD).await.expect_err("a refusal");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
}

/// Asks for a reset and waits for its token.
async fn mailed_token(keystead: &Keystead, client: &Client, person: &Person, number: usize) -> String {
    client.ask_for_reset(&person.email).await.expect("taken");
    keystead.mailbox().token(&person.email, RESET, number).await
}

// promise X4
async fn a_reset_sets_the_password_ends_every_session_and_signs_nobody_in(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let before = person.register(&client).await.set;
    let other = person.log_in(&client).await.expect("tokens");
    let token = mailed_token(&keystead, &client, &person, 0).await;
    client.set_password(&token, NEW_PASSWORD).await.expect("a new password");
    for set in [&before, &other] {
        assert_eq!(client.status_of(&set.access_token).await, TokenStatus::Revoked);
        let failure = client.use_refresh_token(&set.refresh_token).await.expect_err("an ended session");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    }
    person.log_in(&client).await.expect_err("the old password").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    client.log_in(&person.email, NEW_PASSWORD).await.expect("the new password");
    let told = || async { keystead.mailbox().to(&person.email).iter().any(|mail| mail.text.contains("changed")) };
    until("a mail that tells the owner", told).await;
    refused(&client, &token).await;
}

// promise L6
async fn an_unknown_address_is_answered_alike_and_gets_no_mail(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("known");
    person.register(&client).await;
    client.ask_for_reset("nobody@example.com").await.expect("taken");
    mailed_token(&keystead, &client, &person, 0).await;
    assert!(keystead.mailbox().to("nobody@example.com").is_empty());
}

// promise L5
async fn mail_goes_to_the_stored_address_never_to_the_typed_one(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("Stored");
    person.register(&client).await;
    client.ask_for_reset(&person.email.to_uppercase()).await.expect("taken");
    keystead.mailbox().reset_token(&person.email).await;
    assert!(keystead.mailbox().to(&person.email.to_uppercase()).is_empty());
}

// promise X3
async fn a_newer_token_kills_the_older(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    let older = mailed_token(&keystead, &client, &person, 0).await;
    let newer = mailed_token(&keystead, &client, &person, 1).await;
    refused(&client, &older).await;
    client.set_password(&newer, NEW_PASSWORD).await.expect("the newer one works");
}

// promise X1
async fn a_token_expires_after_30_minutes(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("late");
    person.register(&client).await;
    let token = mailed_token(&keystead, &client, &person, 0).await;
    keystead.clock.advance(Duration::from_secs(30 * 60 + 1));
    refused(&client, &token).await;
}

async fn a_password_at_fault_leaves_the_token_usable(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    let token = mailed_token(&keystead, &client, &person, 0).await;
    let failure = client.set_password(&token, "short").await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["new_password"]);
    client.set_password(&token, NEW_PASSWORD).await.expect("the token still works");
}

on_each_backend!(
    a_reset_sets_the_password_ends_every_session_and_signs_nobody_in,
    an_unknown_address_is_answered_alike_and_gets_no_mail,
    mail_goes_to_the_stored_address_never_to_the_typed_one,
    a_newer_token_kills_the_older,
    a_token_expires_after_30_minutes,
    a_password_at_fault_leaves_the_token_usable,
);
