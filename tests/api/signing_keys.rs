//! What administrators do to signing keys.

use std::collections::BTreeSet;

use keystead::grpc::pb::{
    GetJwksRequest, ListSigningKeysRequest, RevokeSigningKeyRequest, RotateSigningKeyRequest, SigningKeyState,
    TokenStatus,
};
use tonic::Code;

use crate::harness::token::Jwt;
use crate::harness::{Backend, Client, Keystead, Person, Setup, eventually, on_each_backend, until};

fn kid(access_token: &str) -> String {
    Jwt::parse(access_token).header["kid"].as_str().expect("a kid").to_owned()
}

async fn keys(admin: &Client) -> Vec<(String, SigningKeyState)> {
    let keys = admin.list_signing_keys(ListSigningKeysRequest {}).await.expect("keys").signing_keys;
    keys.into_iter().map(|key| (key.id.clone(), key.state())).collect()
}

async fn published(client: &Client) -> BTreeSet<String> {
    client.get_jwks(GetJwksRequest {}).await.expect("keys").keys.into_iter().map(|key| key.kid).collect()
}

fn revocation(kid: &str) -> RevokeSigningKeyRequest {
    RevokeSigningKeyRequest { signing_key_id: kid.to_owned() }
}

// promise T9
async fn a_rotation_publishes_one_next_key_that_does_not_sign_yet(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let (admin, _) = ada.register_as_administrator(&keystead, &client).await;
    let known = keys(&admin).await;
    let [(active, SigningKeyState::Active)] = known.as_slice() else { panic!("one key that signs: {known:?}") };
    let answer = admin.rotate_signing_key(RotateSigningKeyRequest {}).await.expect("a key");
    let next = answer.signing_key.expect("the key");
    assert_eq!((next.state(), next.algorithm.as_str()), (SigningKeyState::Next, "ES256"));
    assert!(answer.activation_time.expect("a time").seconds > next.create_time.expect("a time").seconds);
    let again = admin.rotate_signing_key(RotateSigningKeyRequest {}).await.expect("a key").signing_key;
    assert_eq!(again.expect("the key").id, next.id, "one next key, however often it is asked for");
    assert_eq!(published(&client).await, BTreeSet::from([active.clone(), next.id]));
    assert_eq!(kid(&ada.log_in(&client).await.expect("tokens").access_token), *active);
    assert_eq!(keystead.rows().await.events("crypto_key_created").await, 7);
}

// promise T9
async fn a_revoked_key_is_refused_everywhere_at_once_and_both_replicas_sign_on(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let ada = Person::new("ada");
    let (admin, _) = ada.register_as_administrator(&keystead, &here).await;
    let old = ada.log_in(&there).await.expect("tokens").access_token;
    let revoked = kid(&old);
    admin.revoke_signing_key(revocation(&revoked)).await.expect("gone");

    assert_ne!(here.status_of(&old).await, TokenStatus::Active, "at once on this replica");
    until("the other replica to refuse the key's tokens", || async {
        there.status_of(&old).await != TokenStatus::Active
    })
    .await;
    for client in [&here, &there] {
        let fresh = eventually("a new key to sign", || async { ada.log_in(client).await.ok() }).await.access_token;
        assert_ne!(kid(&fresh), revoked);
        for judge in [&here, &there] {
            until("both replicas to know the new key", || async {
                judge.status_of(&fresh).await == TokenStatus::Active
            })
            .await;
        }
        until("the key to leave the set", || async { !published(client).await.contains(&revoked) }).await;
    }
    let failure = admin.list_signing_keys(ListSigningKeysRequest {}).await.expect_err("its own key was revoked");
    assert_eq!((failure.code, failure.reason.as_str()), (Code::Unauthenticated, "BEARER_REQUIRED"));
    assert_eq!(keystead.rows().await.events("crypto_key_revoked").await, 1);
}

async fn what_is_no_signing_key_cannot_be_revoked(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("ada").register_as_administrator(&keystead, &client).await;
    let failure = admin.revoke_signing_key(revocation(&"A".repeat(43))).await.expect_err("no key");
    assert_eq!((failure.code, failure.reason.as_str()), (Code::NotFound, "SIGNING_KEY_UNKNOWN"));
    for id in ["", "x", &"A".repeat(44), &format!("{}é", "A".repeat(41)), &format!("{}'", "A".repeat(42))] {
        let failure = admin.revoke_signing_key(revocation(id)).await.expect_err("no id");
        assert_eq!((failure.code, failure.reason.as_str()), (Code::InvalidArgument, "INVALID_FIELDS"), "{id}");
    }
    assert_eq!(keys(&admin).await.len(), 1);
}

on_each_backend!(
    a_rotation_publishes_one_next_key_that_does_not_sign_yet,
    a_revoked_key_is_refused_everywhere_at_once_and_both_replicas_sign_on,
    what_is_no_signing_key_cannot_be_revoked,
);
