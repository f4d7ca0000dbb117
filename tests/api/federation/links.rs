//! Identities that owners add to their account, and take from it.

use serde_json::json;
use tonic::Code;
use uuid::Uuid;

use keystead::grpc::pb::TokenStatus;

use super::Scene;
use crate::harness::{Backend, Person, on_each_backend};

// promise E3
async fn a_link_opens_the_account_until_it_is_taken_away(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let ada = Person::new("ada");
    let set = ada.register(&client).await.set;
    let bearer = client.bearing(&set.access_token);
    provider.person("sub-1", "elsewhere@example.com", &json!(false));
    let failure = keystead.link_at(&bearer, &provider).await.expect_err("an unverified address");
    failure.is(Code::FailedPrecondition, "EMAIL_NOT_VERIFIED");
    let token = keystead.mailbox().verification_token(&ada.email).await;
    client.verify_email(&token).await.expect("verified");
    let linked = keystead.link_at(&bearer, &provider).await.expect("linked, whatever address it has");
    assert_eq!(keystead.link_at(&bearer, &provider).await, Ok(linked.clone()), "twice is once");
    keystead.mailbox().mail(&ada.email, "an identity that was linked to it").await;
    let by_link = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    assert!(!by_link.is_new_user);

    bearer.unlink(&Uuid::nil().to_string()).await.expect_err("none").is(Code::NotFound, "IDENTITY_UNKNOWN");
    bearer.unlink("nonsense").await.expect_err("no id").is(Code::InvalidArgument, "INVALID_FIELDS");
    bearer.unlink(&linked.id).await.expect("gone");
    keystead.mailbox().mail(&ada.email, "no longer opens it").await;
    assert_eq!(client.status_of(&by_link.tokens.access_token).await, TokenStatus::Revoked);
    client.use_refresh_token(&by_link.tokens.refresh_token).await.expect_err("what it opened has ended");
    let here = client.use_refresh_token(&set.refresh_token).await.expect("the session that asked goes on");
    assert!(client.bearing(&here.access_token).identities().await.is_empty());
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("nobody's");
    failure.is(Code::FailedPrecondition, "PROVIDER_EMAIL_NOT_VERIFIED");
    provider.person("sub-1", &ada.email, &json!(true));
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("an address does not bring it back");
    failure.is(Code::AlreadyExists, "ACCOUNT_EXISTS");
    keystead.link_at(&client.bearing(&here.access_token), &provider).await.expect("its owner does");
    keystead.sign_in_at(&client, &provider).await.expect("tokens");
}

async fn an_identity_of_somebody_else_is_not_linked(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    keystead.sign_in_at(&client, &provider).await.expect("tokens");
    provider.person("sub-2", "bob@example.com", &json!(true));
    let bob = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    provider.person("sub-1", "ada@example.com", &json!(true));
    let failure = keystead.link_at(&client.bearing(&bob.tokens.access_token), &provider).await.expect_err("ada's");
    failure.is(Code::AlreadyExists, "IDENTITY_TAKEN");
}

async fn the_last_way_to_sign_in_is_not_taken_away(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    let bearer = client.bearing(&signed_in.tokens.access_token);
    let only = bearer.identities().await.remove(0);
    bearer.unlink(&only.id).await.expect_err("the last").is(Code::FailedPrecondition, "LAST_SIGN_IN_METHOD");
    client.ask_for_reset("ada@example.com").await.expect("taken");
    let reset = keystead.mailbox().reset_token("ada@example.com").await;
    client.set_password(&reset, "fresh paint on the boathouse").await.expect("a password");
    let tokens = client.log_in("ada@example.com", "fresh paint on the boathouse").await.expect("tokens");
    client.bearing(&tokens.access_token).unlink(&only.id).await.expect("a password is left");
}

on_each_backend!(
    a_link_opens_the_account_until_it_is_taken_away,
    an_identity_of_somebody_else_is_not_linked,
    the_last_way_to_sign_in_is_not_taken_away,
);
