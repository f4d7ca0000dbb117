//! Every call on another replica than the one before: what one has done, the other knows.

use keystead::grpc::pb::{BatchVerifyTokensRequest, GetJwksRequest, LogoutScope, TokenStatus, VerifyTokenRequest};
use tonic::Code;

use crate::harness::{Backend, Client, PROMISED, Person, Setup, on_each_backend, until, within};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";

async fn refused(client: &Client, refresh_token: &str) {
    let failure = client.use_refresh_token(refresh_token).await.expect_err("a refusal");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
}

/// Revocations travel, and arrive as promised.
async fn is_revoked(client: &Client, access_token: &str) {
    let told = || async { client.status_of(access_token).await == TokenStatus::Revoked };
    within(PROMISED, "the revocation", until("it to arrive", told)).await;
}

// promises R4, T8
async fn a_session_lives_and_ends_over_alternating_replicas(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let person = Person::new("ada");
    let registered = person.register(&here).await;
    assert_eq!(there.status_of(&registered.set.access_token).await, TokenStatus::Active);
    let taken = there.register(person.registration()).await.expect_err("the address is known there too");
    taken.is(Code::AlreadyExists, "EMAIL_TAKEN");
    let opened = person.log_in(&there).await.expect("tokens");
    let verdict = here.verdict(&opened.access_token).await.expect("a verdict");
    assert_eq!(verdict.claims.expect("an active token").0.sub.to_string(), registered.user.id);
    let second = here.use_refresh_token(&opened.refresh_token).await.expect("a successor");
    let third = there.use_refresh_token(&second.refresh_token).await.expect("a successor");
    assert_eq!(here.status_of(&third.access_token).await, TokenStatus::Active);
    here.log_out(&third.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    assert_eq!(here.status_of(&third.access_token).await, TokenStatus::Revoked, "at once where it was done");
    refused(&there, &third.refresh_token).await;
    is_revoked(&there, &third.access_token).await;
    assert_eq!(there.status_of(&registered.set.access_token).await, TokenStatus::Active, "the other session goes on");
}

// promise T8
async fn a_logout_of_everything_reaches_the_other_replica(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let person = Person::new("ada");
    let sets = [person.register(&here).await.set, person.log_in(&there).await.expect("tokens")];
    there.log_out(&sets[0].refresh_token, LogoutScope::AllSessions).await.expect("ended");
    for set in &sets {
        refused(&here, &set.refresh_token).await;
        is_revoked(&here, &set.access_token).await;
    }
}

// promises T9, T7
async fn tokens_of_one_replica_are_verified_by_the_keys_of_the_other(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let keys = here.get_jwks(GetJwksRequest {}).await.expect("keys").keys;
    assert_eq!(keys, there.get_jwks(GetJwksRequest {}).await.expect("keys").keys);
    let person = Person::new("ada");
    let access_token = person.register(&here).await.set.access_token;
    let other_token = person.log_in(&there).await.expect("tokens").access_token;
    let request = |access_token| VerifyTokenRequest { access_token, ..VerifyTokenRequest::default() };
    let requests = vec![request(access_token), request(other_token)];
    for client in [&here, &there] {
        let batch = BatchVerifyTokensRequest { requests: requests.clone() };
        let verdicts = client.batch_verify_tokens(batch).await.expect("verdicts").verdicts;
        assert!(verdicts.iter().all(|verdict| verdict.status() == TokenStatus::Active), "{verdicts:?}");
    }
}

// promises X4, T8
async fn a_reset_is_asked_for_here_and_confirmed_there(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let person = Person::new("ada");
    let set = person.register(&there).await.set;
    here.ask_for_reset(&person.email).await.expect("taken");
    let token = keystead.mailbox().reset_token(&person.email).await;
    there.set_password(&token, NEW_PASSWORD).await.expect("a new password");
    let used = here.set_password(&token, NEW_PASSWORD).await.expect_err("a used token");
    used.is(Code::Unauthenticated, "INVALID_TOKEN");
    refused(&here, &set.refresh_token).await;
    is_revoked(&here, &set.access_token).await;
    let old = person.log_in(&here).await.expect_err("the old password");
    old.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let fresh = here.log_in(&person.email, NEW_PASSWORD).await.expect("tokens");
    assert_eq!(there.status_of(&fresh.access_token).await, TokenStatus::Active, "what was opened since is not meant");
}

async fn an_address_is_verified_on_the_other_replica(backend: Backend) {
    let setup = Setup::on(backend).replicas(backend.replicas()).with("registration.verify_email", "true");
    let keystead = setup.start().await;
    let [here, there] = keystead.pair().await;
    let person = Person::new("ada");
    here.register(person.registration()).await.expect("taken");
    let early = person.log_in(&there).await.expect_err("the address is not verified");
    early.is(Code::FailedPrecondition, "EMAIL_NOT_VERIFIED");
    let token = keystead.mailbox().verification_token(&person.email).await;
    assert!(there.verify_email(&token).await.expect("the account").email_verified);
    let used = here.verify_email(&token).await.expect_err("a used token");
    used.is(Code::Unauthenticated, "INVALID_TOKEN");
    person.log_in(&here).await.expect("tokens");
}

on_each_backend!(
    a_session_lives_and_ends_over_alternating_replicas,
    a_logout_of_everything_reaches_the_other_replica,
    tokens_of_one_replica_are_verified_by_the_keys_of_the_other,
    a_reset_is_asked_for_here_and_confirmed_there,
    an_address_is_verified_on_the_other_replica,
);
