//! An answer that others may keep, under a strong validator (RFC 9110, sections 8.8.3 and 13.1.2; RFC 9111).

use std::time::Duration;

use aws_lc_rs::digest;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::problem::problem;

/// What is said, and for how long it may be kept.
pub struct Cacheable<'a, T> {
    pub content: &'a T,
    pub content_type: &'static str,
    pub max_age: Duration,
}

impl<T: Serialize> Cacheable<'_, T> {
    /// The content as JSON, or 304 to who has it already.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        self.try_answer(headers).unwrap_or_else(|| problem(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn try_answer(&self, headers: &HeaderMap) -> Option<Response> {
        let body = serde_json::to_vec(self.content).ok()?;
        let etag = etag(&body);
        let mut response = if is_known(headers, &etag) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            response
        };
        let cache_control = format!("public, max-age={}", self.max_age.as_secs());
        response.headers_mut().insert(header::ETAG, HeaderValue::try_from(etag).ok()?);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::try_from(cache_control).ok()?);
        Some(response)
    }
}

/// A strong validator: the bytes themselves, digested.
fn etag(body: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, body);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest.as_ref()))
}

/// Whether `If-None-Match` holds the validator, compared weakly.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(if_none_match: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(value) = if_none_match {
            headers.insert(header::IF_NONE_MATCH, HeaderValue::try_from(value).unwrap());
        }
        let max_age = Duration::from_mins(5);
        Cacheable { content: &"content", content_type: "application/json", max_age }.answer(&headers)
    }

    #[test]
    fn the_content_comes_with_a_validator_and_a_lifetime() {
        let response = ask(None);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=300");
        assert_eq!(response.headers()[header::ETAG], etag(br#""content""#).as_str());
    }

    #[test]
    fn who_has_the_content_already_is_told_so() {
        let etag = etag(br#""content""#);
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
