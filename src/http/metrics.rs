//! `/metrics`: what the service counts of itself, for Prometheus.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::{HeaderValue, header};

/// The text exposition format (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Writes the page anew each time.
pub type Page = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

pub async fn metrics(State(page): State<Page>) -> Response {
    let mut response = Response::new(Body::from(page().await));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
