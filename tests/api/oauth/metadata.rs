//! What the server says of itself: what works, and nothing else.

use serde_json::{Value, json};

use crate::harness::{Backend, Keystead, Setup, http_get, on_each_backend};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

async fn described(keystead: &Keystead, path: &str) -> Value {
    let answer = http_get(keystead.replica(0).http, path, &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let etag = answer.header("etag").expect("a validator");
    let known = http_get(keystead.replica(0).http, path, &[("if-none-match", etag)]).await;
    assert_eq!((known.status, known.body.as_str()), (304, ""));
    serde_json::from_str(&answer.body).expect("JSON")
}

// promise H5
async fn the_endpoints_are_described_at_the_issuer_unless_another_url_is_set(backend: Backend) {
    let keystead = Setup::on(backend).with("tokens.issuer", "'https://auth.example.com/'").start().await;
    let by_secret_or_not = json!(["client_secret_basic", "client_secret_post", "none"]);
    let mut expected = json!({
        "issuer": "https://auth.example.com/",
        "token_endpoint": "https://auth.example.com/oauth2/token",
        "jwks_uri": "https://auth.example.com/.well-known/jwks.json",
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": by_secret_or_not,
        "revocation_endpoint": "https://auth.example.com/oauth2/revoke",
        "revocation_endpoint_auth_methods_supported": by_secret_or_not,
        "introspection_endpoint": "https://auth.example.com/oauth2/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "Bearer"],
    });
    assert_eq!(described(&keystead, OAUTH).await, expected);
    expected["subject_types_supported"] = json!(["public"]);
    expected["id_token_signing_alg_values_supported"] = json!([]);
    assert_eq!(described(&keystead, OPENID).await, expected);

    let elsewhere = Setup::on(backend).with("http.public_url", "'https://example.com/auth/'").start().await;
    for path in [OAUTH, OPENID] {
        let described = described(&elsewhere, path).await;
        assert_eq!(described["issuer"], "http://localhost:8080", "as in every token");
        assert_eq!(described["token_endpoint"], "https://example.com/auth/oauth2/token");
    }
}

on_each_backend!(the_endpoints_are_described_at_the_issuer_unless_another_url_is_set);
