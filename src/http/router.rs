//! Which path is answered by what, and what every answer carries.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};

use super::calls::{self, Calls};
use super::front::Front;
use super::metrics::{self, Page};
use super::problem::{method_not_allowed, problem};
use super::server::Needs;
use super::settings::Settings;
use super::{forward_auth, health, jwks, oauth, providers};
use crate::domain::proxies::ProxyTrust;

/// Every path but that of the metrics.
pub fn router(settings: &Settings, needs: Needs) -> Router {
    let probes = Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/startupz", get(health::startupz))
        .with_state(needs.health);
    let gateways =
        Router::new().route("/forward-auth", get(forward_auth::forward_auth)).with_state(needs.authorize_request);
    let front = Arc::new(Front {
        proxies: ProxyTrust { proxies: settings.trusted_proxies.clone(), header: settings.forwarded_header },
        traces: needs.traces,
        clock: needs.clock,
    });
    let doors =
        providers::Doors { start: needs.start_oauth, come_back: needs.come_back, is_secure: settings.is_secure() };
    let secretive = oauth::router(needs.oauth, &front).merge(providers::router(doors, &front));
    let secretive = if settings.takes_secrets() { secretive } else { Router::new() };
    Router::new()
        .route("/.well-known/jwks.json", get(jwks::jwks))
        .with_state(needs.get_jwks)
        .merge(secretive)
        .merge(gateways)
        .merge(probes)
}

/// `/metrics` alone.
pub fn metrics(page: Page) -> Router {
    Router::new().route("/metrics", get(metrics::metrics)).with_state(page)
}

/// With the answers to what is not there, and what every answer carries.
pub fn finished(router: Router) -> Router {
    router
        .fallback(async || problem(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(map_response(hardened))
}

/// With every request counted.
pub fn counted(router: Router, calls: Arc<Calls>) -> Router {
    router.layer(from_fn_with_state(calls, calls::count))
}

/// No browser guesses at a content type.
async fn hardened(mut response: Response) -> Result<Response, Infallible> {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
