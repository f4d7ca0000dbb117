//! `ChangeEmail` and `ConfirmEmailChange`.

use std::time::Duration;

use keystead::grpc::pb::TokenStatus;
use tonic::Code;

use crate::harness::mailbox::EMAIL_CHANGE;
use crate::harness::{Backend, Keystead, Person, Setup, on_each_backend, until};

const REFUSED: (Code, &str) = (Code::Unauthenticated, "INVALID_TOKEN");

// promises E3, X4
async fn a_confirmed_address_is_the_accounts_and_the_old_one_is_told(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (ada, new) = (Person::new("ada"), Person::new("new").email);
    let registered = ada.register(&client).await;
    let bearer = client.bearing(&registered.set.access_token);
    bearer.ask_for_email(&new).await.expect("taken");
    let token = keystead.mailbox().email_change_token(&new).await;
    client.log_in(&new, &ada.password).await.expect_err("not before it is confirmed");
    let user = client.take_email(&token).await.expect("the account");
    assert_eq!((user.email.as_str(), user.email_verified, user.id), (new.as_str(), true, registered.user.id));
    assert_ne!(user.etag, registered.user.etag);
    let told = keystead.mailbox().mail(&ada.email, "has a new address").await;
    assert!(told.text.contains("127.0.0.1") && !told.text.contains(&new), "{}", told.text);
    assert_eq!(client.status_of(&registered.set.access_token).await, TokenStatus::Active, "sessions go on");
    client.log_in(&new, &ada.password).await.expect("tokens");
    client.log_in(&ada.email, &ada.password).await.expect_err("the address is nobody's");
    client.take_email(&token).await.expect_err("a used token").is(REFUSED.0, REFUSED.1);
    let rows = keystead.rows().await;
    assert_eq!(rows.events("user_email_change_request").await, 1);
    assert_eq!(
        rows.number("SELECT count(*) FROM audit_events WHERE kind = 'user_email_change' AND outcome = 'success'").await,
        1
    );
}

// promise L6
async fn a_taken_address_is_answered_alike_and_its_owner_is_told(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (ada, bob) = (Person::new("ada"), Person::new("bob"));
    let tokens = ada.register(&client).await.set;
    bob.register(&client).await;
    let bearer = client.bearing(&tokens.access_token);
    bearer.ask_for_email(&bob.email.to_uppercase()).await.expect("the same answer");
    let told = keystead.mailbox().mail(&bob.email, "asked to use your address").await;
    assert!(told.token(EMAIL_CHANGE).is_none() && !told.text.contains(&ada.email), "{}", told.text);
    client.log_in(&bob.email, &bob.password).await.expect("bob's address is still bob's");
}

async fn an_address_that_was_taken_in_between_stays_where_it_is(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (ada, bob) = (Person::new("ada"), Person::new("bob"));
    let tokens = ada.register(&client).await.set;
    client.bearing(&tokens.access_token).ask_for_email(&bob.email).await.expect("taken");
    let token = keystead.mailbox().email_change_token(&bob.email).await;
    bob.register(&client).await;
    client.take_email(&token).await.expect_err("bob was faster").is(Code::AlreadyExists, "EMAIL_TAKEN");
    ada.log_in(&client).await.expect("ada keeps her address");
    bob.log_in(&client).await.expect("and bob his");
}

// promises X1, X3
async fn a_change_does_not_outlive_its_time_a_newer_one_or_a_reset(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (ada, first, second) = (Person::new("ada"), Person::new("first").email, Person::new("second").email);
    let tokens = ada.register(&client).await.set;
    let bearer = client.bearing(&tokens.access_token);
    bearer.ask_for_email(&first).await.expect("taken");
    let older = keystead.mailbox().email_change_token(&first).await;
    bearer.ask_for_email(&second).await.expect("taken");
    let newer = keystead.mailbox().email_change_token(&second).await;
    client.take_email(&older).await.expect_err("a replaced token").is(REFUSED.0, REFUSED.1);
    client.ask_for_reset(&ada.email).await.expect("taken");
    let reset = keystead.mailbox().reset_token(&ada.email).await;
    client.set_password(&reset, "fresh paint on the boathouse").await.expect("a new password");
    client.take_email(&newer).await.expect_err("whoever asked is out").is(REFUSED.0, REFUSED.1);
    let tokens = client.log_in(&ada.email, "fresh paint on the boathouse").await.expect("tokens");
    client.bearing(&tokens.access_token).ask_for_email(&first).await.expect("taken");
    let last = keystead.mailbox().token(&first, EMAIL_CHANGE, 1).await;
    keystead.clock.advance(Duration::from_secs(30 * 60 + 1));
    let client = keystead.client().await;
    client.take_email(&last).await.expect_err("an expired token").is(REFUSED.0, REFUSED.1);
}

async fn it_wants_a_bearer_a_fresh_sign_in_and_an_address(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let tokens = Person::new("ada").register(&client).await.set;
    let bearer = client.bearing(&tokens.access_token);
    client.ask_for_email("new@example.com").await.expect_err("nobody").is(Code::Unauthenticated, "BEARER_REQUIRED");
    bearer.ask_for_email("nonsense").await.expect_err("no address").is(Code::InvalidArgument, "INVALID_FIELDS");
    keystead.clock.advance(Duration::from_secs(5 * 60 + 1));
    let client = keystead.client().await;
    until("a verdict after the leap", || async { client.verdict(&tokens.access_token).await.is_ok() }).await;
    let bearer = client.bearing(&tokens.access_token);
    let failure = bearer.ask_for_email("new@example.com").await.expect_err("signed in too long ago");
    failure.is(Code::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
}

// promise L1
async fn a_caller_runs_out_of_mail_to_ever_new_addresses(backend: Backend) {
    let limit =
        [("limits.mail_per_address_and_source_burst", "2"), ("limits.mail_per_address_and_source_period", "\"1h\"")];
    let setup = limit.into_iter().fold(Setup::on(backend), |setup, (path, value)| setup.with(path, value));
    let keystead = setup.start().await;
    let client = keystead.client().await;
    let tokens = Person::new("ada").register(&client).await.set;
    let bearer = client.bearing(&tokens.access_token);
    for name in ["one", "two"] {
        bearer.ask_for_email(&Person::new(name).email).await.expect("taken");
    }
    let failure = bearer.ask_for_email(&Person::new("three").email).await.expect_err("a third");
    failure.is(Code::ResourceExhausted, "RATE_LIMITED");
}

on_each_backend!(
    a_confirmed_address_is_the_accounts_and_the_old_one_is_told,
    a_taken_address_is_answered_alike_and_its_owner_is_told,
    an_address_that_was_taken_in_between_stays_where_it_is,
    a_change_does_not_outlive_its_time_a_newer_one_or_a_reset,
    it_wants_a_bearer_a_fresh_sign_in_and_an_address,
    a_caller_runs_out_of_mail_to_ever_new_addresses,
);
