//! `/.well-known/jwks.json`: the public keys, cacheable (RFC 7517, section 5).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde::Serialize;

use super::cacheable::Cacheable;
use crate::service::token::jwks::GetJwks;

#[derive(Serialize)]
struct KeySet<T: Serialize> {
    keys: T,
}

/// Answers with the keys, or with 304 to who has them already.
pub async fn jwks(State(get_jwks): State<Arc<GetJwks>>, headers: HeaderMap) -> Response {
    let published = get_jwks.run();
    let content = KeySet { keys: &*published.keys };
    let max_age = published.max_age;
    Cacheable { content: &content, content_type: "application/jwk-set+json", max_age }.answer(&headers)
}
