//! What becomes of our spans on their way out.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

use super::*;

fn span(name: &'static str, fields: &[(&'static str, Value)]) -> SpanData {
    let trace = TraceId::from_bytes([7; 16]);
    SpanData {
        span_context: SpanContext::new(trace, SpanId::from_bytes([1; 8]), TraceFlags::SAMPLED, false, TraceState::NONE),
        parent_span_id: SpanId::from_bytes([2; 8]),
        parent_span_is_remote: true,
        span_kind: SpanKind::Internal,
        name: name.into(),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes: fields.iter().map(|(name, value)| KeyValue::new(*name, value.clone())).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("keystead").build(),
    }
}

fn attributes(span: &SpanData) -> BTreeMap<&str, String> {
    span.attributes.iter().map(|field| (field.key.as_str(), field.value.as_str().into_owned())).collect()
}

#[test]
fn a_call_is_told_in_the_words_of_opentelemetry() {
    let fields = [("method", "/keystead.v1.AuthService/Login".into()), ("code", "UNAVAILABLE".into())];
    let told = told(span("rpc", &fields));
    assert_eq!((&*told.name, &told.span_kind), ("keystead.v1.AuthService/Login", &SpanKind::Server));
    assert_eq!(told.status, Status::error(""));
    let expected = [
        ("rpc.method", "Login"),
        ("rpc.response.status_code", "UNAVAILABLE"),
        ("rpc.service", "keystead.v1.AuthService"),
        ("rpc.system", "grpc"),
    ];
    assert_eq!(attributes(&told), expected.map(|(name, value)| (name, value.to_owned())).into());
}

#[test]
fn a_request_that_its_sender_got_wrong_is_no_failure_of_the_service() {
    for (fields, failed) in [
        ([("method", "/oauth2/token".into()), ("status", Value::I64(400))], false),
        ([("method", "/oauth2/token".into()), ("status", Value::I64(503))], true),
        ([("method", "/a.B/C".into()), ("code", "UNAUTHENTICATED".into())], false),
    ] {
        let name = if matches!(fields[1].1, Value::I64(_)) { "http" } else { "rpc" };
        assert_eq!(told(span(name, &fields)).status == Status::error(""), failed, "{fields:?}");
    }
}

#[test]
fn a_call_has_failed_where_the_service_has() {
    let has_failed = |code: &'static str| {
        let told = told(span("rpc", &[("method", "/a.B/C".into()), ("code", code.into())]));
        told.status == Status::error("")
    };
    for code in ["UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"] {
        assert!(has_failed(code), "{code}");
    }
    for code in
        ["OK", "CANCELLED", "INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "ABORTED"]
    {
        assert!(!has_failed(code), "{code}");
    }
}

// promise S1
#[test]
fn what_stands_on_no_list_stays_here() {
    let fields = [
        ("db.system", "postgresql".into()),
        ("db.operation", "INSERT".into()),
        ("db.statement", "INSERT INTO users VALUES ($1)".into()),
        ("exception.message", "duplicate key: (email)=(ada@example.com)".into()),
        ("anything", "else".into()),
    ];
    let told = told(span("sea_orm.execute", &fields));
    assert_eq!((&*told.name, &told.span_kind), ("INSERT", &SpanKind::Client));
    let keys: Vec<_> = attributes(&told).into_keys().collect();
    assert_eq!(keys, ["db.operation.name", "db.query.text", "db.system.name"]);
}

#[test]
fn the_ends_of_a_transaction_have_names() {
    assert_eq!(told(span("sea_orm.commit", &[("db.operation", "EXECUTE".into())])).name, "COMMIT");
    assert_eq!(told(span("redis", &[("db.operation", "EVALSHA".into())])).name, "EVALSHA");
}

#[test]
fn a_trace_that_begins_here_has_no_parent() {
    let began = told(SpanData { parent_span_id: BEGINNING, ..span("rpc", &[]) });
    assert_eq!((began.parent_span_id, began.parent_span_is_remote), (SpanId::INVALID, false));
    let went_on = told(span("rpc", &[]));
    assert_eq!((went_on.parent_span_id, went_on.parent_span_is_remote), (SpanId::from_bytes([2; 8]), true));
}
