//! One span a request, and one line when it is done. Nothing of the request itself but its method, if that exists.

use std::time::Duration;

use http::StatusCode;
use tonic::Code;
use tracing::field::{Empty, display};
use tracing::{Span, debug, error, info, warn};

use super::methods::{Logged, Method};
use crate::domain::trace::{TRACED, Trace};

/// The name told of a method that does not exist: its path is the caller's and might hold anything.
const UNKNOWN: &str = "unknown";

/// How a request ended.
pub struct Completion<'a> {
    pub method: Option<&'a Method>,
    pub trace: Trace,
    pub http: StatusCode,
    pub code: Code,
    pub duration: Duration,
}

/// The span that everything told during the request belongs to; none where only failures are told and nobody collects
/// the trace, for making one costs more than the frequent methods themselves.
pub fn span(method: Option<&Method>, trace: &Trace) -> Span {
    match method.map(|method| method.logged) {
        Some(Logged::FailuresOnly) if !trace.is_sampled => Span::none(),
        Some(Logged::FailuresOnly | Logged::Yes) | None => full_span(method, trace),
    }
}

fn full_span(method: Option<&Method>, trace: &Trace) -> Span {
    let method = method.map_or(UNKNOWN, |method| method.path.as_str());
    let trace_id = trace.id;
    if !trace.is_sampled {
        return tracing::info_span!("rpc", method, %trace_id, code = Empty, duration_ms = Empty);
    }
    let parent_id = trace.parent.map(display);
    tracing::info_span!(target: TRACED, "rpc", method, %trace_id, parent_id, code = Empty, duration_ms = Empty)
}

/// Completes the request's span and tells how the request ended, as loudly as it deserves.
pub fn tell(completion: &Completion<'_>, span: &Span) {
    let loudness = loudness(completion);
    let is_missing = span.is_none() && loudness != Loudness::Silent;
    let missing = is_missing.then(|| full_span(completion.method, &completion.trace));
    let span = missing.as_ref().unwrap_or(span);
    if completion.http == StatusCode::OK {
        span.record("code", code_name(completion.code));
    }
    span.record("duration_ms", completion.duration.as_secs_f64() * 1_000.0);
    span.in_scope(|| tell_in_span(completion, loudness));
}

fn tell_in_span(completion: &Completion<'_>, loudness: Loudness) {
    match loudness {
        Loudness::Silent => {}
        Loudness::Debug => debug!(http = completion.http.as_u16(), "not a call"),
        Loudness::Info => info!("call completed"),
        Loudness::Warn => warn!("call failed for want of something"),
        Loudness::Error => error!("call failed by a fault of the service"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loudness {
    Silent,
    Debug,
    Info,
    Warn,
    Error,
}

fn loudness(completion: &Completion<'_>) -> Loudness {
    if completion.http != StatusCode::OK {
        return Loudness::Debug;
    }
    match completion.code {
        Code::Ok => match completion.method.map(|method| method.logged) {
            Some(Logged::FailuresOnly) => Loudness::Silent,
            Some(Logged::Yes) | None => Loudness::Info,
        },
        Code::Internal | Code::Unknown | Code::DataLoss => Loudness::Error,
        Code::Unavailable | Code::DeadlineExceeded => Loudness::Warn,
        Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Loudness::Info,
    }
}

/// The code's name as gRPC writes it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::domain::origin::TraceId;
    use crate::grpc::access::Access;
    use crate::grpc::methods::Messages;

    const TRACE: Trace = Trace { id: TraceId([7; 16]), parent: None, is_sampled: false };

    fn method(logged: Logged) -> Method {
        Method {
            path: "/a.B/C".to_owned(),
            message_limit: 1,
            messages: Messages::One,
            access: Access::Public,
            logged,
            number: 0,
        }
    }

    fn loudness_of(logged: Logged, code: Code) -> Loudness {
        let method = method(logged);
        let (trace, http, duration) = (TRACE, StatusCode::OK, Duration::ZERO);
        loudness(&Completion { method: Some(&method), trace, http, code, duration })
    }

    // promise G2
    #[test]
    fn frequent_successes_are_silent_and_their_failures_are_not() {
        assert_eq!(loudness_of(Logged::FailuresOnly, Code::Ok), Loudness::Silent);
        assert_eq!(loudness_of(Logged::FailuresOnly, Code::Unavailable), Loudness::Warn);
        assert_eq!(loudness_of(Logged::Yes, Code::Ok), Loudness::Info);
    }

    /// What is written to the log.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(logged: Logged, code: Code) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let method = method(logged);
            let (trace, http, duration) = (TRACE, StatusCode::OK, Duration::from_millis(3));
            let span = span(Some(&method), &trace);
            tell(&Completion { method: Some(&method), trace, http, code, duration }, &span);
        });
        let bytes = lines.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }

    // promise G2
    #[test]
    fn a_failure_of_a_silent_method_is_told_as_fully_as_any_other() {
        let told_by = |logged| told(logged, Code::Unavailable);
        for line in [told_by(Logged::FailuresOnly), told_by(Logged::Yes)] {
            let parts = ["WARN", "method=\"/a.B/C\"", "code=\"UNAVAILABLE\"", "duration_ms=3", &"07".repeat(16)];
            assert!(parts.iter().all(|part| line.contains(part)), "{line}");
        }
        assert_eq!(told(Logged::FailuresOnly, Code::Ok), "");
    }

    #[test]
    fn a_fault_of_ours_is_an_error_and_a_fault_of_the_caller_is_not() {
        assert_eq!(loudness_of(Logged::Yes, Code::Internal), Loudness::Error);
        assert_eq!(loudness_of(Logged::Yes, Code::Unauthenticated), Loudness::Info);
    }
}
