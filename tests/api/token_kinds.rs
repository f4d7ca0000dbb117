//! Every kind of token presented to every RPC that takes one: only the diagonal is accepted.

use keystead::grpc::pb::{LogoutScope, TokenStatus};

use crate::harness::{Backend, Client, Keystead, Person, on_each_backend};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";
const KINDS: [&str; 4] = ["access", "refresh", "reset", "verification"];

/// One token of each kind, of one person, all unused.
async fn tokens(keystead: &Keystead, client: &Client) -> [String; 4] {
    let person = Person::new("ada");
    let set = person.register(client).await.set;
    client.ask_for_reset(&person.email).await.expect("taken");
    let reset = keystead.mailbox().reset_token(&person.email).await;
    let verification = keystead.mailbox().verification_token(&person.email).await;
    [set.access_token, set.refresh_token, reset, verification]
}

/// Whether the RPC that takes tokens of this kind accepts the token.
async fn accepts(client: &Client, kind: &str, token: &str) -> bool {
    match kind {
        "access" => client.status_of(token).await == TokenStatus::Active,
        "refresh" => client.use_refresh_token(token).await.is_ok(),
        "reset" => client.set_password(token, NEW_PASSWORD).await.is_ok(),
        "verification" => client.verify_email(token).await.is_ok(),
        other => panic!("no RPC takes {other} tokens"),
    }
}

// promise T6
async fn only_the_right_kind_of_token_opens_an_rpc(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for taken in KINDS {
        let tokens = tokens(&keystead, &client).await;
        for (kind, token) in KINDS.iter().zip(&tokens).filter(|(kind, _)| **kind != taken) {
            assert!(!accepts(&client, taken, token).await, "a {kind} token was taken for a {taken} token");
        }
    }
}

// promise T6
async fn logout_ends_a_session_for_its_refresh_token_alone(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let [access, refresh, reset, verification] = tokens(&keystead, &client).await;
    for other in [&access, &reset, &verification] {
        client.log_out(other, LogoutScope::AllSessions).await.expect("OK, and nothing ends");
        assert_eq!(client.status_of(&access).await, TokenStatus::Active);
    }
    client.log_out(&refresh, LogoutScope::AllSessions).await.expect("logged out");
    assert_eq!(client.status_of(&access).await, TokenStatus::Revoked);
}

// promise T6
async fn the_right_kind_opens_it(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for (index, kind) in KINDS.iter().enumerate() {
        let tokens = tokens(&keystead, &client).await;
        assert!(accepts(&client, kind, &tokens[index]).await, "{kind}");
    }
}

on_each_backend!(
    only_the_right_kind_of_token_opens_an_rpc,
    logout_ends_a_session_for_its_refresh_token_alone,
    the_right_kind_opens_it,
);
