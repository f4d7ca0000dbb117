//! What every answer of the endpoints carries: nobody may keep it (RFC 6749, section 5.1).

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// JSON that nobody may keep.
pub fn json(status: StatusCode, content: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(content) else { return empty(StatusCode::INTERNAL_SERVER_ERROR) };
    let mut response = empty(status);
    *response.body_mut() = Body::from(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Nothing that somebody could keep.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
