//! `/livez`, `/readyz`, `/startupz`: 200 or 503, and in words what holds.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use tokio::sync::watch;

use crate::service::health::Health;

/// Whether the process answers at all: it does.
pub async fn livez() -> Response {
    answer(true, &serde_json::json!({ "live": true }))
}

/// Whether calls should be sent here.
pub async fn readyz(State(health): State<watch::Receiver<Health>>) -> Response {
    let health = *health.borrow();
    let body = serde_json::json!({
        "ready": health.is_ready(),
        "verifies": health.verifies,
        "signs": health.signs,
        "database": health.database,
        "clock": health.clock,
        "draining": health.draining,
    });
    answer(health.is_ready(), &body)
}

/// Whether the service has ever been ready.
pub async fn startupz(State(health): State<watch::Receiver<Health>>) -> Response {
    let started = health.borrow().started;
    answer(started, &serde_json::json!({ "started": started }))
}

fn answer(good: bool, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
