//! `/.well-known/jwks.json`: the public keys, cacheable, under a strong validator (RFC 7517, section 5; RFC 9110).

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::problem::problem;
use crate::service::token::jwks::{GetJwks, PublishedKeys};

#[derive(Serialize)]
struct KeySet<T: Serialize> {
    keys: T,
}

/// Answers with the keys, or with 304 to who has them already.
pub async fn jwks(State(get_jwks): State<Arc<GetJwks>>, headers: HeaderMap) -> Response {
    answer(&get_jwks.run(), &headers)
}

fn answer(published: &PublishedKeys, headers: &HeaderMap) -> Response {
    let Ok(body) = serde_json::to_vec(&KeySet { keys: &*published.keys }) else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let etag = etag(&body);
    let cache_control = format!("public, max-age={}", published.max_age.as_secs());
    let (Ok(etag_value), Ok(cache_control)) = (HeaderValue::try_from(&etag), HeaderValue::try_from(cache_control))
    else {
        return problem(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = if is_known(headers, &etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
        response
    };
    response.headers_mut().insert(header::ETAG, etag_value);
    response.headers_mut().insert(header::CACHE_CONTROL, cache_control);
    response
}

/// A strong validator: the bytes themselves, digested.
fn etag(body: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, body);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest.as_ref()))
}

/// Whether `If-None-Match` holds the validator, compared weakly (RFC 9110, section 13.1.2).
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn published() -> PublishedKeys {
        PublishedKeys { keys: Arc::from([]), max_age: Duration::from_mins(5) }
    }

    fn ask(if_none_match: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(value) = if_none_match {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::try_from(value).unwrap());
        }
        answer(&published(), &headers)
    }

    #[test]
    fn the_keys_come_with_a_validator_and_a_lifetime() {
        let response = ask(None);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/jwk-set+json");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=300");
        assert_eq!(response.headers()[header::ETAG], etag(br#"{"keys":[]}"#).as_str());
    }

    #[test]
    fn who_has_the_keys_already_is_told_so() {
        let etag = etag(br#"{"keys":[]}"#);
        for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            let response = ask(Some(&known));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(response.headers()[header::ETAG], etag.as_str());
        }
        for other in ["\"other\"", "other", ""] {
            assert_eq!(ask(Some(other)).status(), StatusCode::OK, "{other}");
        }
    }
}
