//! `/forward-auth`: for nginx's `auth_request`, Traefik's ForwardAuth and Caddy's `forward_auth`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use form_urlencoded::parse;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::problem::problem;
use crate::service::gateway::authorize_request::{AuthorizeRequest, Caller, Decision, Denial};
use crate::service::gateway::route::Route;

/// Answers 200 with the identity headers, or the refusal that the gateway passes on. What the route asks for stands in
/// the query, which the gateway's configuration writes: `roles`, `audience`, `public`.
pub async fn forward_auth(
    State(authorize_request): State<Arc<AuthorizeRequest>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let values: Vec<_> = parse(query.as_bytes()).collect();
    let route = Route::parse(values.iter().map(|(name, value)| (&**name, &**value)));
    let mut response = match authorize_request.run(authorization(&headers), route) {
        Decision::PassUnknown => Response::new(Body::empty()),
        Decision::Pass(caller) => identified(&caller),
        Decision::Deny(denial) => denied(denial),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The one value of the header; several show none.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return None };
    value.to_str().ok()
}

fn identified(caller: &Caller) -> Response {
    let mut response = Response::new(Body::empty());
    for (name, value) in caller.headers() {
        // An id and names of roles are letters and digits; were they not, nobody would pass.
        let Ok(value) = HeaderValue::try_from(value) else { return problem(StatusCode::INTERNAL_SERVER_ERROR) };
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    response
}

fn denied(denial: Denial) -> Response {
    let mut response = problem(match denial {
        Denial::BearerMissing | Denial::BearerRefused => StatusCode::UNAUTHORIZED,
        Denial::RoleMissing => StatusCode::FORBIDDEN,
        Denial::Unknown => StatusCode::SERVICE_UNAVAILABLE,
        Denial::RouteAtFault => StatusCode::INTERNAL_SERVER_ERROR,
    });
    if let Some(challenge) = denial.challenge() {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

#[cfg(test)]
mod tests;
