//! `Register`.

use keystead::grpc::pb::{RegisterRequest, TokenStatus, UserState};
use tonic::Code;

use crate::harness::{Backend, Keystead, Person, Setup, on_each_backend};

async fn a_new_account_comes_with_its_first_session(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let tokens = person.register(&client).await;
    assert_eq!(tokens.user.email, person.email);
    assert_eq!(tokens.user.display_name, "A Person");
    assert_eq!(tokens.user.state(), UserState::Active);
    assert!(!tokens.user.email_verified);
    let verdict = client.verdict(&tokens.set.access_token).await.expect("a verdict");
    assert_eq!(verdict.status(), TokenStatus::Active);
    let claims = verdict.claims.expect("claims of an active token").0;
    assert_eq!((claims.sub.to_string(), claims.sid.to_string()), (tokens.user.id, tokens.set.session_id));
    person.log_in(&client).await.expect("the password opens the account");
}

async fn every_field_at_fault_is_named_at_once(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let request = RegisterRequest {
        email: "not an address".to_owned(),
        password: "short".to_owned(),
        display_name: "x".repeat(101),
        device_name: "x".repeat(101),
    };
    let failure = client.register(request).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["email", "password", "display_name", "device_name"]);
}

// promise P3
async fn common_passwords_and_those_made_of_the_address_are_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for password in ["password123", "keystead", "grace.hopper@example.com", "grace.hopper"] {
        let email = "grace.hopper@example.com".to_owned();
        let request = RegisterRequest { email, password: password.to_owned(), ..RegisterRequest::default() };
        let failure = client.register(request).await.expect_err(password);
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(failure.fields, ["password"], "{password}");
    }
}

// promises P1, P2
async fn passwords_are_counted_in_code_points_normalised_and_never_cut(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let long = "x1 ".repeat(85);
    let person = Person { password: format!("{long}é"), ..Person::new("long") };
    person.register(&client).await;
    let decomposed = format!("{long}e\u{301}");
    client.log_in(&person.email, &decomposed).await.expect("the same password in another form");
    let other_end = format!("{long}f");
    let failure = client.log_in(&person.email, &other_end).await.expect_err("another password");
    failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let too_long = Person { password: "x1 ".repeat(86), ..Person::new("toolong") };
    let failure = client.register(too_long.registration()).await.expect_err("a refusal");
    assert_eq!(failure.fields, ["password"]);
}

// promise L5
async fn an_address_is_taken_in_each_of_its_spellings(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("Taken");
    person.register(&client).await;
    for email in [person.email.clone(), person.email.to_uppercase(), person.email.to_lowercase()] {
        let request = RegisterRequest { email, ..person.registration() };
        client.register(request).await.expect_err("a refusal").is(Code::AlreadyExists, "EMAIL_TAKEN");
    }
}

async fn of_many_registrations_of_one_address_one_wins(backend: Backend) {
    let keystead = Setup::on(backend).replicas(2).start().await;
    let person = Person::new("race");
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..16 {
        let (client, request) = (keystead.client_of(number % 2).await, person.registration());
        calls.spawn(async move { client.register(request).await });
    }
    let answers = calls.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for failure in answers.into_iter().filter_map(Result::err) {
        failure.is(Code::AlreadyExists, "EMAIL_TAKEN");
    }
}

async fn a_closed_service_takes_nobody(backend: Backend) {
    let keystead = Setup::on(backend).with("registration.open", "false").start().await;
    let client = keystead.client().await;
    let failure = client.register(Person::new("late").registration()).await.expect_err("a refusal");
    failure.is(Code::FailedPrecondition, "REGISTRATION_CLOSED");
}

async fn where_addresses_are_verified_a_known_one_is_answered_as_a_new_one(backend: Backend) {
    let keystead = Setup::on(backend).with("registration.verify_email", "true").start().await;
    let client = keystead.client().await;
    let person = Person::new("quiet");
    let first = client.register(person.registration()).await.expect("an answer");
    assert!(first.user.is_none() && first.token_set.is_none());
    let token = keystead.mailbox().verification_token(&person.email).await;
    let again = Person { password: "another lantern in the barn".to_owned(), ..person.clone() };
    let second = client.register(again.registration()).await.expect("an answer");
    assert_eq!(first, second);
    crate::harness::until("a mail that tells the owner", || async { keystead.mailbox().to(&person.email).len() == 2 })
        .await;
    let failure = person.log_in(&client).await.expect_err("a refusal");
    failure.is(Code::FailedPrecondition, "EMAIL_NOT_VERIFIED");
    assert!(client.verify_email(&token).await.expect("the account").email_verified);
    person.log_in(&client).await.expect("the first password counts");
    again.log_in(&client).await.expect_err("the second never did").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
}

on_each_backend!(
    a_new_account_comes_with_its_first_session,
    every_field_at_fault_is_named_at_once,
    common_passwords_and_those_made_of_the_address_are_refused,
    passwords_are_counted_in_code_points_normalised_and_never_cut,
    an_address_is_taken_in_each_of_its_spellings,
    of_many_registrations_of_one_address_one_wins,
    a_closed_service_takes_nobody,
    where_addresses_are_verified_a_known_one_is_answered_as_a_new_one,
);
