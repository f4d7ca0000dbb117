//! `/oauth/{provider}/start` and `/oauth/{provider}/callback`: the way of a browser to a provider and back.
//!
//! Neither shows a page. What goes wrong before a flow is known is told here, in problem details; whatever comes after
//! is for the redirect. No address of these pages is told to the next one.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use form_urlencoded::parse;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::cookies::FlowCookie;
use super::front::{self, Front};
use super::oauth::error::{OAuthError, whole_seconds};
use super::problem::{method_not_allowed, problem};
use crate::domain::oauth_flow::PkceChallenge;
use crate::domain::origin::Origin;
use crate::service::error::ServiceError;
use crate::service::federation::come_back::{ComeBack, ComeBackRequest};
use crate::service::federation::start::{Beginner, StartOAuth, StartOAuthRequest};

/// What both paths stand on.
pub struct Doors {
    pub start: Arc<StartOAuth>,
    pub come_back: Arc<ComeBack>,
    /// Whether browsers come by TLS.
    pub is_secure: bool,
}

/// Both paths.
pub fn router(doors: Doors, front: &Arc<Front>) -> Router {
    Router::new()
        .route("/oauth/{provider}/start", get(start))
        .route("/oauth/{provider}/callback", get(callback))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(front), front::pass))
        .with_state(Arc::new(doors))
}

/// Sends the browser to the provider, with a cookie that it has to show when it comes back.
async fn start(
    State(doors): State<Arc<Doors>>,
    Extension(origin): Extension<Origin>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(mut query) = parameters(query.as_deref()) else { return hidden(problem(StatusCode::BAD_REQUEST)) };
    let challenge = query.get("code_challenge").map(|text| PkceChallenge::parse(text));
    let is_s256 = query.get("code_challenge_method").is_some_and(|method| method == "S256");
    let (Some(Ok(challenge)), true) = (challenge, is_s256) else { return hidden(problem(StatusCode::BAD_REQUEST)) };
    let redirect_uri = query.remove("redirect_uri").unwrap_or_default();
    let request = StartOAuthRequest { provider, redirect_uri, challenge };
    match doors.start.run(request, Beginner::Browser, &origin).await {
        Ok(started) => {
            let cookie = FlowCookie::of(&started.state, doors.is_secure);
            let cookie = started.browser.as_ref().and_then(|value| cookie.keep(value));
            sent_to(&started.authorization_url, cookie)
        }
        Err(error) => refused(error),
    }
}

/// Sends the browser on to the redirect that the flow was begun with.
async fn callback(
    State(doors): State<Arc<Doors>>,
    Extension(origin): Extension<Origin>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(mut query) = parameters(query.as_deref()) else { return hidden(problem(StatusCode::BAD_REQUEST)) };
    let state = query.remove("state").unwrap_or_default();
    let cookie = FlowCookie::of(&state, doors.is_secure);
    let is_error = query.contains_key("error");
    let request = ComeBackRequest {
        provider,
        state,
        code: query.remove("code").filter(|_| !is_error).map(Into::into),
        issuer: query.remove("iss"),
        browser: cookie.shown(&headers),
    };
    match doors.come_back.run(request, &origin).await {
        Ok(redirect) => sent_to(&redirect, cookie.forget()),
        Err(error) => refused(error),
    }
}

/// The parameters by their names; `None` where one comes twice (RFC 6749, section 3.1).
fn parameters(query: Option<&str>) -> Option<HashMap<String, String>> {
    let mut parameters = HashMap::new();
    for (name, value) in parse(query.unwrap_or_default().as_bytes()) {
        if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    Some(parameters)
}

fn sent_to(location: &str, cookie: Option<HeaderValue>) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return hidden(problem(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    hidden(response)
}

/// By the one list of what errors mean over HTTP.
fn refused(error: ServiceError) -> Response {
    let OAuthError { status, retry_after, .. } = OAuthError::from(error);
    let mut response = problem(status);
    if let Some(wait) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    hidden(response)
}

/// State and code stand in the address: it goes into no cache, and no `Referer`.
fn hidden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
