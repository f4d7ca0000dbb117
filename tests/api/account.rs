//! The caller's own account: what they see of it, change of it, and its end.

use std::time::Duration;

use keystead::grpc::pb::{self, DeleteMeRequest, TokenStatus, UpdateMeRequest, User, UserState};
use prost::Message as _;
use prost_types::{FieldMask, FileDescriptorSet};
use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::{Backend, Client, Keystead, Person, Setup, eventually, on_each_backend, until};

/// What owners may change themselves.
const OWN_FIELDS: [&str; 2] = ["display_name", "language"];

/// Somebody's account, and the client that bears their token.
async fn signed_in(client: &Client, name: &str) -> (Person, User, Client) {
    let person = Person::new(name);
    let registered = person.register(client).await;
    let bearer = client.bearing(&registered.set.access_token);
    (person, registered.user, bearer)
}

/// Every field of `User`, as the contract declares them.
fn fields_of_user() -> Vec<String> {
    let set = FileDescriptorSet::decode(pb::FILE_DESCRIPTOR_SET).expect("the descriptors");
    let messages = set.file.into_iter().filter(|file| file.package() == "keystead.v1").flat_map(|it| it.message_type);
    let user = messages.into_iter().find(|message| message.name() == "User").expect("the message");
    user.field.iter().map(|field| field.name().to_owned()).collect()
}

/// Values that differ from those of a new account in every field.
fn other_values() -> User {
    User {
        id: "0190163d-8694-739b-aea5-966c26f8ad91".to_owned(),
        email: "eve@example.com".to_owned(),
        email_verified: true,
        display_name: "Lady Ada".to_owned(),
        state: UserState::Disabled.into(),
        roles: vec!["admin".to_owned()],
        create_time: Some(prost_types::Timestamp::default()),
        update_time: Some(prost_types::Timestamp::default()),
        etag: String::new(),
        language: "pt-BR".to_owned(),
    }
}

// promise A2
async fn a_caller_sees_the_account_of_their_bearer(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (_, ada, as_ada) = signed_in(&client, "ada").await;
    let (_, bob, as_bob) = signed_in(&client, "bob").await;
    assert_eq!(as_ada.me().await.expect("the account"), ada);
    assert_eq!(as_bob.me().await.expect("the account"), bob);
    client.me().await.expect_err("nobody calls").is(Code::Unauthenticated, "BEARER_REQUIRED");
}

// promises A2, A3
async fn an_update_changes_what_its_mask_names_and_nothing_else(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (_, ada, as_ada) = signed_in(&client, "ada").await;
    let (_, bob, as_bob) = signed_in(&client, "bob").await;
    let foreign = User { id: bob.id.clone(), ..other_values() };

    let named = as_ada.update(&["display_name"], foreign.clone()).await.expect("updated");
    let expected =
        User { display_name: "Lady Ada".to_owned(), etag: named.etag.clone(), update_time: named.update_time, ..ada };
    assert_eq!(named, expected);
    let spoken = as_ada.update(&["language", "language"], foreign).await.expect("updated");
    let expected = User {
        language: "pt-br".to_owned(),
        etag: spoken.etag.clone(),
        update_time: spoken.update_time,
        ..named.clone()
    };
    assert_eq!(spoken, expected);
    assert_ne!(spoken.etag, named.etag);
    assert_eq!(as_ada.me().await.expect("the account"), spoken);
    assert_eq!(as_bob.me().await.expect("the account"), bob, "the id in the message is nobody's word");
    assert_eq!(keystead.rows().await.events("user_updated").await, 2);
}

// promise A3
async fn every_path_but_the_owners_own_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (_, ada, as_ada) = signed_in(&client, "ada").await;
    let fields = fields_of_user();
    assert!(OWN_FIELDS.iter().all(|own| fields.iter().any(|field| field == own)), "{fields:?}");
    let declared = fields.iter().map(String::as_str).filter(|field| !OWN_FIELDS.contains(field));
    let nonsense = [
        "*",
        "",
        ".",
        "display_name.",
        "user.display_name",
        "displayName",
        "DISPLAY_NAME",
        " language",
        "language\0",
        "password_hash",
        "epoch",
        "revision",
        "display_name,language",
        "\u{202e}language",
    ];
    let mut refused = 0;
    for path in declared.chain(nonsense) {
        for paths in [&[path][..], &["display_name", path], &[path, "language"]] {
            let failure = as_ada.update(paths, other_values()).await.expect_err(path);
            failure.is(Code::InvalidArgument, "INVALID_FIELDS");
            assert_eq!(failure.fields, ["update_mask"], "{path:?}");
        }
        refused += 1;
    }
    assert_eq!(refused, fields.len() - OWN_FIELDS.len() + nonsense.len());
    for own in OWN_FIELDS {
        assert_eq!(as_ada.me().await.expect("the account"), ada, "nothing has changed before {own}");
    }
    for own in OWN_FIELDS {
        as_ada.update(&[own], other_values()).await.expect(own);
    }
}

async fn an_update_without_values_or_with_bad_ones_tells_every_fault(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let (_, _, as_ada) = signed_in(&keystead.client().await, "ada").await;
    let bad = User { display_name: "a\u{7}b".to_owned(), language: "../en".to_owned(), ..User::default() };
    let failure = as_ada.update(&OWN_FIELDS, bad).await.expect_err("two faults");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["user.display_name", "user.language"]);
    for (request, fields) in [
        (UpdateMeRequest::default(), &["update_mask", "user"][..]),
        (UpdateMeRequest { user: Some(other_values()), update_mask: Some(FieldMask::default()) }, &["update_mask"]),
    ] {
        let failure = as_ada.update_me(request).await.expect_err("a fault");
        assert_eq!(failure.fields, fields);
    }
}

async fn an_update_decided_on_an_older_account_is_aborted(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let (ada, user, as_ada) = signed_in(&here, "ada").await;
    let elsewhere = there.bearing(&ada.log_in(&there).await.expect("tokens").access_token);
    let with = |etag: &str| User { etag: etag.to_owned(), ..other_values() };
    let updated = elsewhere.update(&["language"], with(&user.etag)).await.expect("the etag is the account's");
    for stale in [&user.etag, "\"9\"", "never", "*"] {
        let failure = as_ada.update(&["display_name"], with(stale)).await.expect_err(stale);
        failure.is(Code::Aborted, "ETAG_MISMATCH");
    }
    assert_eq!(as_ada.me().await.expect("the account"), updated);
    as_ada.update(&["display_name"], with(&updated.etag)).await.expect("the etag is the account's");
}

async fn of_parallel_updates_on_one_etag_one_is_made(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let clients = keystead.pair().await;
    let (ada, user, _) = signed_in(&clients[0], "ada").await;
    let tokens = ada.log_in(&clients[1]).await.expect("tokens");
    let mut updates = JoinSet::new();
    for number in 0..16 {
        let client = clients[number % 2].bearing(&tokens.access_token);
        let values = User { display_name: format!("Ada {number}"), etag: user.etag.clone(), ..User::default() };
        updates.spawn(async move { client.update(&["display_name"], values).await });
    }
    let (made, refused): (Vec<_>, Vec<_>) = updates.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for answer in refused {
        answer.expect_err("refused").is(Code::Aborted, "ETAG_MISMATCH");
    }
    let me = clients[0].bearing(&tokens.access_token).me().await.expect("the account");
    assert_eq!(made.into_iter().next().and_then(Result::ok), Some(me));
}

// promises D1, T8
async fn who_deletes_their_account_is_nobody_from_then_on(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let (ada, _, as_ada) = signed_in(&here, "ada").await;
    let (_, bob, as_bob) = signed_in(&here, "bob").await;
    let other = ada.log_in(&there).await.expect("tokens");
    as_ada.delete_me(DeleteMeRequest {}).await.expect("deleted");
    as_ada.me().await.expect_err("gone").is(Code::Unauthenticated, "BEARER_REQUIRED");
    assert_eq!(here.status_of(&other.access_token).await, TokenStatus::Revoked, "at once where it was done");
    until("the other replica to see it", || async {
        there.status_of(&other.access_token).await == TokenStatus::Revoked
    })
    .await;
    there.use_refresh_token(&other.refresh_token).await.expect_err("gone").is(Code::Unauthenticated, "INVALID_TOKEN");
    ada.log_in(&there).await.expect_err("gone").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    assert_eq!(as_bob.me().await.expect("the account"), bob);
    let rows = keystead.rows().await;
    assert_eq!(rows.number("SELECT count(*) FROM users").await, 1);
    assert_eq!(rows.events("user_deleted").await, 1);
    ada.register(&here).await;
}

// promise A4
async fn the_last_administrator_cannot_leave(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (first, user) = Person::new("root").register_as_administrator(&keystead, &client).await;
    first.delete_me(DeleteMeRequest {}).await.expect_err("the last").is(Code::FailedPrecondition, "LAST_ADMIN");
    assert_eq!(first.me().await.expect("the account").id, user.id);
    let (second, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    first.delete_me(DeleteMeRequest {}).await.expect("another is left");
    second.delete_me(DeleteMeRequest {}).await.expect_err("the last").is(Code::FailedPrecondition, "LAST_ADMIN");
}

async fn an_account_is_deleted_by_a_fresh_sign_in_alone(backend: Backend) {
    let keystead = Setup::on(backend).with("keys.reload_interval", "\"200ms\"").start().await;
    let client = keystead.client().await;
    let (ada, _, _) = signed_in(&client, "ada").await;
    let old = ada.log_in(&client).await.expect("tokens");
    keystead.clock.advance(Duration::from_secs(301));
    // A leap of the clock leaves revocations and keys stale until they are read again.
    let refreshed =
        eventually("fresh keys", || async { client.use_refresh_token(&old.refresh_token).await.ok() }).await;
    for token in [&old.access_token, &refreshed.access_token] {
        let bearer = client.bearing(token);
        eventually("fresh revocations", || async { bearer.me().await.ok() }).await;
        let failure = bearer.delete_me(DeleteMeRequest {}).await.expect_err("too long ago");
        failure.is(Code::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
    }
    let fresh = ada.log_in(&client).await.expect("tokens");
    client.bearing(&fresh.access_token).delete_me(DeleteMeRequest {}).await.expect("deleted");
}

on_each_backend!(
    a_caller_sees_the_account_of_their_bearer,
    an_update_changes_what_its_mask_names_and_nothing_else,
    every_path_but_the_owners_own_is_refused,
    an_update_without_values_or_with_bad_ones_tells_every_fault,
    an_update_decided_on_an_older_account_is_aborted,
    of_parallel_updates_on_one_etag_one_is_made,
    who_deletes_their_account_is_nobody_from_then_on,
    the_last_administrator_cannot_leave,
    an_account_is_deleted_by_a_fresh_sign_in_alone,
);
