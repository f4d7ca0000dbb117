//! `/oauth2/revoke`: whoever holds a token ends it, and nothing tells whether it was one.

use keystead::grpc::pb::TokenStatus;
use serde_json::Value;

use super::{impostor, setup};
use crate::harness::oauth::As;
use crate::harness::{Backend, Machine, Person, on_each_backend};

// promises H3, T8
async fn a_token_ends_what_it_belongs_to(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &[]).await;
    let ada = Person::new("ada");
    let [by_refresh, by_access] = [ada.register(&client).await.set, ada.log_in(&client).await.expect("tokens")];
    let own = machine.access_token(&client).await;
    let other = machine.access_token(&client).await;
    for (caller, token, ended) in [
        (As::Nobody, &by_refresh.refresh_token, &by_refresh.access_token),
        (As::Nobody, &by_access.access_token, &by_access.access_token),
        (As::Basic(&machine), &own, &own),
    ] {
        let told = oauth.revoke(caller, token).await;
        assert_eq!((told.status, &told.json), (200, &Value::Null));
        assert_eq!(client.status_of(ended).await, TokenStatus::Revoked);
    }
    oauth.refresh(&by_access.refresh_token).await.is(400, "invalid_grant");
    assert_eq!(client.status_of(&other).await, TokenStatus::Active, "one token of a machine ends alone");
    let named = [("token", other.as_str()), ("client_id", "keystead"), ("token_type_hint", "refresh_token")];
    assert_eq!(oauth.post("/oauth2/revoke", As::Nobody, &named, &[]).await.status, 200);
    assert_eq!(client.status_of(&other).await, TokenStatus::Revoked, "a hint is no more than one");
}

// promise H3
async fn of_tokens_that_open_nothing_nothing_is_told(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &[]).await;
    let set = Person::new("ada").register(&client).await.set;
    let right = oauth.revoke(As::Nobody, &set.refresh_token).await;
    for token in [&set.refresh_token, &set.access_token, "x", "ksr_x", &machine.secret] {
        let told = oauth.revoke(As::Basic(&machine), token).await;
        assert_eq!((told.status, told.lasting_headers()), (200, right.lasting_headers()), "{token}");
    }
    let hinted = [("token", "x"), ("token_type_hint", "moon")];
    assert_eq!(oauth.post("/oauth2/revoke", As::Nobody, &hinted, &[]).await.status, 200);
    oauth.post("/oauth2/revoke", As::Nobody, &[], &[]).await.is(400, "invalid_request");
}

// promise H3
async fn a_client_that_is_not_who_it_says_ends_nothing(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &[]).await;
    let set = Person::new("ada").register(&client).await.set;
    for caller in [As::Basic(&impostor(&machine)), As::Post(&impostor(&machine)), As::Bearer(&set.access_token)] {
        oauth.revoke(caller, &set.access_token).await.is(401, "invalid_client");
    }
    let named = [("token", set.access_token.as_str()), ("client_id", "moon")];
    oauth.post("/oauth2/revoke", As::Nobody, &named, &[]).await.is(401, "invalid_client");
    assert_eq!(client.status_of(&set.access_token).await, TokenStatus::Active);
}

on_each_backend!(
    a_token_ends_what_it_belongs_to,
    of_tokens_that_open_nothing_nothing_is_told,
    a_client_that_is_not_who_it_says_ends_nothing,
);
