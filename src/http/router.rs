//! Which path is answered by what, and what every answer carries.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};

use super::problem::problem;
use super::server::Needs;
use super::settings::Settings;
use super::{forward_auth, health, jwks, oauth};

/// Every path. GET and HEAD alone are allowed.
pub fn router(settings: &Settings, needs: Needs) -> Router {
    let probes = Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/startupz", get(health::startupz))
        .with_state(needs.health);
    let gateways =
        Router::new().route("/forward-auth", get(forward_auth::forward_auth)).with_state(needs.authorize_request);
    let providers = oauth::Doors {
        start: needs.start_oauth,
        come_back: needs.come_back,
        origin_of: needs.origin_of,
        is_secure: settings.is_secure(),
    };
    let providers = Router::new()
        .route("/oauth/{provider}/start", get(oauth::start))
        .route("/oauth/{provider}/callback", get(oauth::callback))
        .with_state(Arc::new(providers));
    Router::new()
        .route("/.well-known/jwks.json", get(jwks::jwks))
        .with_state(needs.get_jwks)
        .merge(gateways)
        .merge(providers)
        .merge(probes)
        .fallback(async || problem(StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(async || problem(StatusCode::METHOD_NOT_ALLOWED))
        .layer(map_response(hardened))
}

/// No browser guesses at a content type.
async fn hardened(mut response: Response) -> Result<Response, Infallible> {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
