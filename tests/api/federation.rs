//! Signing in through others.

mod accounts;
mod administrators;
mod certified;
mod flows;
mod id_tokens;
mod links;

use serde_json::json;
use tonic::Code;

use keystead::grpc::pb::TokenStatus;

use crate::harness::federation::IDP;
use crate::harness::provider::Provider;
use crate::harness::token::Jwt;
use crate::harness::{Backend, Client, Keystead, Setup, on_each_backend};

/// A Keystead with one provider that the test plays.
struct Scene {
    keystead: Keystead,
    provider: Provider,
    client: Client,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        Self::with(backend, |setup| setup).await
    }

    async fn with(backend: Backend, more: impl FnOnce(Setup) -> Setup) -> Self {
        let provider = Provider::start().await;
        let keystead = more(Setup::on(backend).at_provider(IDP, "oidc", &provider)).start().await;
        let client = keystead.client().await;
        Self { keystead, provider, client }
    }
}

// promises O1, O2, O6
async fn a_stranger_signs_in_at_a_provider_and_is_known_by_it_from_then_on(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let first = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    assert!(first.is_new_user);
    assert_eq!(client.status_of(&first.tokens.access_token).await, TokenStatus::Active);
    let claims = Jwt::parse(&first.tokens.access_token).claims;
    assert_eq!(claims["amr"], json!(["fed"]));
    let me = client.bearing(&first.tokens.access_token).me().await.expect("the account");
    assert_eq!((&*me.email, me.email_verified, &*me.display_name), ("ada@example.com", true, "Somebody"));
    // Another address there is no other person, and changes nothing here.
    provider.person("sub-1", "countess@example.com", &json!(true));
    let again = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    assert!(!again.is_new_user);
    assert_eq!(client.bearing(&again.tokens.access_token).me().await.expect("the account"), me);
    client.use_refresh_token(&again.tokens.refresh_token).await.expect("a session like any other");
    let rows = keystead.rows().await;
    assert_eq!(rows.events("authn_identity_linked").await, 1);
    assert_eq!(rows.events("authn_login_success").await, 2);
    assert_eq!(rows.number("SELECT count(*) FROM oauth_flows").await, 0, "nothing of a flow stays");
}

async fn an_unknown_provider_is_not_found(backend: Backend) {
    let Scene { client, .. } = Scene::set(backend).await;
    for name in ["other", "", "IDP", "idp/..", &"x".repeat(100)] {
        let failure = client.begin_at(name, "https://app.example.com/signed-in", &"A".repeat(43)).await;
        failure.expect_err("nobody").is(Code::NotFound, "PROVIDER_UNKNOWN");
    }
}

on_each_backend!(a_stranger_signs_in_at_a_provider_and_is_known_by_it_from_then_on, an_unknown_provider_is_not_found,);
