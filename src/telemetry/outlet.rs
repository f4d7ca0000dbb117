//! The last look at what is told to the collector: in OpenTelemetry's words, and nothing but what stands on a list.

use std::time::Duration;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Stands for the parent of a step that has none. A caller who calls their own step so loses no more than that name.
pub const BEGINNING: SpanId = SpanId::from_bytes([0xff; 8]);

/// How our spans begin, and the names that sea-orm gives to its.
const RPC: &str = "rpc";
const HTTP: &str = "http";
const STATEMENT: &str = "sea_orm.";

/// What of a span's fields is told, and as what (OpenTelemetry's semantic conventions). The rest stays here: an error's
/// text may quote a row.
const TOLD: [(&str, &str); 5] = [
    ("code", "rpc.response.status_code"),
    ("status", "http.response.status_code"),
    ("db.system", "db.system.name"),
    ("db.operation", "db.operation.name"),
    ("db.statement", "db.query.text"),
];

/// Codes that say that the service has failed, and not its caller.
const FAILURES: [&str; 5] = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "DATA_LOSS"];

/// Hands steps of traces on to an exporter.
#[derive(Debug)]
pub struct Outlet<E>(pub E);

impl<E: SpanExporter> SpanExporter for Outlet<E> {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        self.0.export(batch.into_iter().map(told).collect())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

fn told(mut span: SpanData) -> SpanData {
    let fields = std::mem::take(&mut span.attributes);
    let field = |name: &str| fields.iter().find(|field| field.key.as_str() == name).map(|field| &field.value);
    let text = |name: &str| field(name).map(|value| value.as_str().into_owned());
    let mut attributes: Vec<KeyValue> = TOLD
        .into_iter()
        .filter_map(|(ours, theirs)| Some(KeyValue::new(Key::from_static_str(theirs), field(ours)?.clone())))
        .collect();
    let name = match &*span.name {
        RPC => {
            let method = text("method").unwrap_or_default().trim_start_matches('/').to_owned();
            if let Some((service, method)) = method.split_once('/') {
                attributes.push(KeyValue::new("rpc.service", service.to_owned()));
                attributes.push(KeyValue::new("rpc.method", method.to_owned()));
            }
            attributes.push(KeyValue::new("rpc.system", "grpc"));
            method
        }
        HTTP => {
            let route = text("method").unwrap_or_default();
            attributes.push(KeyValue::new("http.route", route.clone()));
            route
        }
        other => match other.strip_prefix(STATEMENT) {
            Some(step @ ("begin" | "commit" | "rollback")) => step.to_uppercase(),
            _ => text("db.operation").unwrap_or_else(|| other.to_owned()),
        },
    };
    let is_request = span.name == RPC || span.name == HTTP;
    span.span_kind = if is_request { SpanKind::Server } else { SpanKind::Client };
    let failed = text("code").is_some_and(|code| FAILURES.contains(&code.as_str()))
        || matches!(field("status"), Some(Value::I64(500..)));
    if failed {
        span.status = Status::error("");
    }
    if span.parent_span_id == BEGINNING {
        (span.parent_span_id, span.parent_span_is_remote) = (SpanId::INVALID, false);
    }
    span.name = name.into();
    span.attributes = attributes;
    span
}

#[cfg(test)]
mod tests;
