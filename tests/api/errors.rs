//! The table of errors, RPC by RPC: code, reason, details, and a text that holds nothing of the input.

mod fields;
mod transport;
mod waiting;

use std::collections::BTreeSet;

use keystead::grpc::pb::{LoginRequest, RegisterRequest};
use tonic::Code;

use crate::harness::{Backend, Client, Failure, Keystead, Person, Setup, WRONG_PASSWORD, on_each_backend};

/// In every input that is refused; in no text that refuses it.
const CANARY: &str = "canary-9f3c";

/// A token of the right form that nobody has: the prefix and 32 bytes.
fn nobodys_token(prefix: &str) -> String {
    format!("{prefix}{}", "A".repeat(43))
}

/// What every refusal promises, whatever it says.
#[track_caller]
fn complete(failure: &Failure, code: Code, reason: &str) {
    failure.is(code, reason);
    let trace_id = failure.trace_id.as_deref().expect("RequestInfo");
    assert!(trace_id.len() == 32 && trace_id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{failure:?}");
    assert!(!failure.message.is_empty() && !failure.message.contains(CANARY), "{failure:?}");
    assert_eq!(code == Code::InvalidArgument && reason == "INVALID_FIELDS", !failure.fields.is_empty(), "{failure:?}");
    let is_to_be_tried_again =
        code == Code::Unavailable || matches!(reason, "RATE_LIMITED" | "HASH_CAPACITY" | "REVOCATION_STATE_STALE");
    assert_eq!(failure.retry_after.is_some(), is_to_be_tried_again, "{failure:?}");
}

async fn register_refuses_a_taken_address(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person { email: format!("{CANARY}@example.com"), ..Person::new("taken") };
    person.register(&client).await;
    let failure = client.register(person.registration()).await.expect_err("a refusal");
    complete(&failure, Code::AlreadyExists, "EMAIL_TAKEN");
    assert_eq!(failure.message, "an account with this address exists");
}

async fn register_refuses_everybody_where_it_is_closed(backend: Backend) {
    let keystead = Setup::on(backend).with("registration.open", "false").start().await;
    let failure = keystead.client().await.register(Person::new(CANARY).registration()).await.expect_err("a refusal");
    complete(&failure, Code::FailedPrecondition, "REGISTRATION_CLOSED");
}

async fn login_refuses_unknown_and_wrong_in_one_way(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("known");
    person.register(&client).await;
    let mut told = Vec::new();
    for (email, password) in [
        (person.email.as_str(), WRONG_PASSWORD),
        (person.email.as_str(), "x"),
        ("canary-9f3c@example.com", person.password.as_str()),
        ("canary-9f3c@unknown.example", WRONG_PASSWORD),
    ] {
        let failure = client.log_in(email, password).await.expect_err("a refusal");
        complete(&failure, Code::Unauthenticated, "INVALID_CREDENTIALS");
        told.push(failure);
    }
    assert!(told.iter().all(|failure| failure.without_trace() == told[0].without_trace()), "{told:?}");
    let traces: BTreeSet<_> = told.iter().map(|failure| &failure.trace_id).collect();
    assert_eq!(traces.len(), told.len(), "a trace id of its own for each call");
}

async fn login_tells_of_an_unverified_address_after_the_right_password_alone(backend: Backend) {
    let keystead = Setup::on(backend).with("registration.verify_email", "true").start().await;
    let client = keystead.client().await;
    let person = Person::new(CANARY);
    client.register(person.registration()).await.expect("an answer");
    let failure = client.log_in(&person.email, WRONG_PASSWORD).await.expect_err("a refusal");
    complete(&failure, Code::Unauthenticated, "INVALID_CREDENTIALS");
    let failure = person.log_in(&client).await.expect_err("a refusal");
    complete(&failure, Code::FailedPrecondition, "EMAIL_NOT_VERIFIED");
}

async fn tokens_that_open_nothing_are_refused_in_one_way(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let used = Person::new("ada").register(&client).await.set.refresh_token;
    client.log_out(&used, keystead::grpc::pb::LogoutScope::ThisSession).await.expect("logged out");
    let refresh = [used, nobodys_token("ksr_"), CANARY.to_owned(), String::new()];
    let mut told = Vec::new();
    for token in &refresh {
        told.push(client.use_refresh_token(token).await.expect_err("a refusal"));
    }
    for token in [nobodys_token("kspr_"), CANARY.to_owned(), String::new()] {
        told.push(client.set_password(&token, "fresh paint on the boathouse").await.expect_err("a refusal"));
    }
    for token in [nobodys_token("ksev_"), CANARY.to_owned(), String::new()] {
        told.push(client.verify_email(&token).await.expect_err("a refusal"));
    }
    for failure in &told {
        complete(failure, Code::Unauthenticated, "INVALID_TOKEN");
        assert_eq!(failure.without_trace(), told[0].without_trace());
    }
}

// A refused call costs the caller nothing that the caller may still need.
async fn bad_input_loses_nothing(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let set = person.register(&client).await.set;
    client.ask_for_reset(&person.email).await.expect("taken");
    let reset = keystead.mailbox().reset_token(&person.email).await;
    for password in ["", "short", "password123", &person.email, &"x".repeat(257)] {
        let failure = client.set_password(&reset, password).await.expect_err("a refusal");
        complete(&failure, Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(failure.fields, ["new_password"], "{password}");
    }
    let scope = keystead::grpc::pb::LogoutRequest { refresh_token: set.refresh_token.clone(), scope: 99 };
    let failure = client.logout(scope).await.expect_err("a refusal");
    complete(&failure, Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["scope"]);
    let taken = RegisterRequest { password: "another lantern in the barn".to_owned(), ..person.registration() };
    client.register(taken).await.expect_err("a taken address");
    let elsewhere = LoginRequest {
        email: person.email.clone(),
        password: person.password.clone(),
        audience: CANARY.to_owned(),
        ..LoginRequest::default()
    };
    let failure = client.login(elsewhere).await.expect_err("a refusal");
    complete(&failure, Code::InvalidArgument, "INVALID_FIELDS");
    client.use_refresh_token(&set.refresh_token).await.expect("the session goes on");
    person.log_in(&client).await.expect("the password is the old one");
    client.set_password(&reset, "fresh paint on the boathouse").await.expect("the token still works");
    client.log_in(&person.email, "fresh paint on the boathouse").await.expect("the new password works");
}

on_each_backend!(
    register_refuses_a_taken_address,
    register_refuses_everybody_where_it_is_closed,
    login_refuses_unknown_and_wrong_in_one_way,
    login_tells_of_an_unverified_address_after_the_right_password_alone,
    tokens_that_open_nothing_are_refused_in_one_way,
    bad_input_loses_nothing,
);
