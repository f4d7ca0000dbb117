//! `/.well-known/oauth-authorization-server` (RFC 8414) and `/.well-known/openid-configuration` (OpenID Connect Discovery
//! 1.0, section 3): what works here, and nothing else.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;

use super::{INTROSPECT, OAuthApi, REVOKE, TOKEN};
use crate::http::cacheable::Cacheable;
use crate::service::oauth::describe::Description;

const BY_SECRET_OR_NOT: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];
const BY_SECRET_OR_BEARER: [&str; 3] = ["client_secret_basic", "client_secret_post", "Bearer"];

/// RFC 8414, section 2. No grant here begins at an authorization endpoint, so there is none, and no response type.
#[derive(Serialize)]
struct Metadata<'a> {
    issuer: &'a str,
    token_endpoint: String,
    jwks_uri: String,
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
}

/// The same, with the members that OpenID Connect demands and that have an honest value: every client is told the same
/// `sub`, and there are no ID tokens.
#[derive(Serialize)]
struct OpenIdMetadata<'a> {
    #[serde(flatten)]
    metadata: Metadata<'a>,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 0],
}

pub async fn authorization_server(State(api): State<Arc<OAuthApi>>, headers: HeaderMap) -> Response {
    let description = api.describe.run();
    answer(&metadata(&description), &description, &headers)
}

pub async fn openid_configuration(State(api): State<Arc<OAuthApi>>, headers: HeaderMap) -> Response {
    let description = api.describe.run();
    let content = OpenIdMetadata {
        metadata: metadata(&description),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [],
    };
    answer(&content, &description, &headers)
}

fn metadata(Description { issuer, base, .. }: &Description) -> Metadata<'_> {
    let at = |path: &str| format!("{base}{path}");
    Metadata {
        issuer,
        token_endpoint: at(TOKEN),
        jwks_uri: at("/.well-known/jwks.json"),
        response_types_supported: [],
        grant_types_supported: ["refresh_token", "client_credentials"],
        token_endpoint_auth_methods_supported: BY_SECRET_OR_NOT,
        revocation_endpoint: at(REVOKE),
        revocation_endpoint_auth_methods_supported: BY_SECRET_OR_NOT,
        introspection_endpoint: at(INTROSPECT),
        introspection_endpoint_auth_methods_supported: BY_SECRET_OR_BEARER,
    }
}

fn answer(content: &impl Serialize, description: &Description, headers: &HeaderMap) -> Response {
    Cacheable { content, content_type: "application/json", max_age: description.max_age }.answer(headers)
}
