//! The one way through to the endpoints that take secrets: where a request comes from, its trace, its deadline, its line
//! in the log.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue};
use tracing::Instrument as _;

use super::access_log::{self, Completion, ErrorCode};
use super::oauth::error::OAuthError;
use crate::domain::clock::Clock;
use crate::domain::deadline::Deadline;
use crate::domain::origin::Origin;
use crate::domain::proxies::ProxyTrust;
use crate::domain::trace::{TRACEPARENT, Traces};

/// No request takes longer, its body included.
const DEADLINE: Duration = Duration::from_secs(15);

/// What stands before the endpoints.
pub struct Front {
    pub proxies: ProxyTrust,
    pub traces: Arc<Traces>,
    pub clock: Arc<dyn Clock>,
}

/// Who is at the other end of the connection.
#[derive(Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Lets a request through with its [`Origin`], and tells how it ended.
pub async fn pass(
    State(front): State<Arc<Front>>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = front.clock.monotonic();
    let trace = front.traces.of(sent(request.headers(), TRACEPARENT));
    let origin = Origin {
        source: Some(front.proxies.source(peer, |name| sent(request.headers(), name))),
        trace_id: trace.id,
        deadline: Deadline::after(started, DEADLINE),
    };
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = access_log::span(path, &trace);
    request.extensions_mut().insert(origin);
    let response = finish(request, next).instrument(span.clone()).await;
    let duration = front.clock.monotonic().saturating_sub(started);
    let error = response.extensions().get::<ErrorCode>().copied();
    access_log::tell(&Completion { status: response.status(), error, duration }, &span);
    response
}

/// Dropping the work when the deadline passes is what cancels it.
async fn finish(request: Request, next: Next) -> Response {
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(DEADLINE, work).await {
        Ok(Ok(response)) => response,
        Ok(Err(_payload)) => {
            // The payload may quote input; the panic hook has told the place.
            tracing::error!("a handler panicked");
            OAuthError::server_error().into_response()
        }
        Err(_elapsed) => OAuthError::unavailable(Duration::from_secs(1)).into_response(),
    }
}

fn sent<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h [u8]> + use<'h> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}
