//! `Login`, and the limits on guessing.

use keystead::grpc::pb::{LoginRequest, TokenStatus};
use tonic::Code;

use crate::harness::{Backend, Keystead, Person, Setup, WRONG_PASSWORD, on_each_backend};

async fn the_right_password_opens_a_session_of_its_own(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let first = person.register(&client).await.set;
    let second = person.log_in(&client).await.expect("tokens");
    assert_ne!(first.session_id, second.session_id);
    assert_eq!(client.status_of(&second.access_token).await, TokenStatus::Active);
}

// promise L6
async fn unknown_and_wrong_are_refused_in_the_same_words(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let person = Person::new("known");
    person.register(&client).await;
    let wrong = client.log_in(&person.email, WRONG_PASSWORD).await.expect_err("a refusal");
    wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let unknown = client.log_in("nobody@example.com", WRONG_PASSWORD).await.expect_err("a refusal");
    assert_eq!(wrong.without_trace(), unknown.without_trace());
}

async fn a_named_audience_must_be_one_of_the_configured(backend: Backend) {
    let keystead = Setup::on(backend).with("tokens.audiences", "['keystead', 'shop']").start().await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    let login = |audience: &str| LoginRequest {
        email: person.email.clone(),
        password: person.password.clone(),
        audience: audience.to_owned(),
        ..LoginRequest::default()
    };
    client.login(login("shop")).await.expect("tokens for the shop");
    let failure = client.login(login("elsewhere")).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["audience"]);
}

// promise L2
async fn a_reset_opens_an_account_that_guesses_have_locked(backend: Backend) {
    let keystead = Setup::on(backend).with("limits.max_failures", "5").start().await;
    let client = keystead.client().await;
    let person = Person::new("locked");
    person.register(&client).await;
    for _ in 0..8 {
        client.log_in(&person.email, WRONG_PASSWORD).await.expect_err("a wrong password");
    }
    client.ask_for_reset(&person.email).await.expect("taken");
    let token = keystead.mailbox().reset_token(&person.email).await;
    let opened = Person { password: "fresh paint on the boathouse".to_owned(), ..person };
    client.set_password(&token, &opened.password).await.expect("a new password");
    opened.log_in(&client).await.expect("the owner is in again");
}

on_each_backend!(
    the_right_password_opens_a_session_of_its_own,
    unknown_and_wrong_are_refused_in_the_same_words,
    a_named_audience_must_be_one_of_the_configured,
    a_reset_opens_an_account_that_guesses_have_locked,
);
