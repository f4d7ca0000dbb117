//! One span a request, and one line when it is done. Nothing of the request itself but the path of its endpoint.

use std::time::Duration;

use http::StatusCode;
use tracing::field::{Empty, display};
use tracing::{Span, error, info, warn};

use crate::domain::trace::{TRACED, Trace};

/// The code of the error that a response tells, for the log.
#[derive(Clone, Copy)]
pub struct ErrorCode(pub &'static str);

/// How a request ended.
pub struct Completion {
    pub status: StatusCode,
    pub error: Option<ErrorCode>,
    pub duration: Duration,
}

/// The span that everything told during the request belongs to. The path is one that the router has matched.
pub fn span(path: &str, trace: &Trace) -> Span {
    let (method, trace_id) = (path, trace.id);
    if !trace.is_sampled {
        return tracing::info_span!("http", method, %trace_id, status = Empty, code = Empty, duration_ms = Empty);
    }
    let parent_id = trace.parent.map(display);
    tracing::info_span!(
        target: TRACED, "http", method, %trace_id, parent_id, status = Empty, code = Empty, duration_ms = Empty,
    )
}

/// Completes the request's span and tells how the request ended, as loudly as it deserves.
pub fn tell(completion: &Completion, span: &Span) {
    span.record("status", completion.status.as_u16());
    if let Some(ErrorCode(code)) = completion.error {
        span.record("code", code);
    }
    span.record("duration_ms", completion.duration.as_secs_f64() * 1_000.0);
    span.in_scope(|| match completion.status {
        StatusCode::INTERNAL_SERVER_ERROR => error!("call failed by a fault of the service"),
        status if status.is_server_error() => warn!("call failed for want of something"),
        _ => info!("call completed"),
    });
}
