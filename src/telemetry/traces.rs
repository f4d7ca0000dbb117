//! Traces, by OpenTelemetry: which spans are told, as what, and to whom.
//!
//! The rooms know nothing of OpenTelemetry. They make spans of `tracing`; what decides that a request is sampled has
//! given its span the target [`TRACED`] and names trace and parent in it. Here such a span, and what is done below it,
//! becomes a step of that trace.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context as OtelContext, KeyValue};
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::outlet::{BEGINNING, Outlet};

/// The target of spans that are told; what asks the same of a span has to name the same.
pub const TRACED: &str = "keystead::trace";
/// Where the statements' own spans come from.
pub const STATEMENTS: &str = "sea_orm::database";
/// How long one delivery to the collector may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Where traces go, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSettings {
    /// Of the collector, for OTLP over gRPC.
    pub endpoint: String,
    /// The part of the traces that begin here that is told, from 0 to 1. Who comes with a trace decides for it.
    pub sample_ratio: f64,
    pub service_name: String,
    /// What tells replicas apart; `None`: nothing is told of it.
    pub instance: Option<String>,
    /// Certificates (PEM) that may vouch for the collector, beside those of the public authorities.
    pub authorities: Option<Arc<str>>,
}

/// Gathers what is to be told, in batches, on a thread of its own. Needs the runtime that it is called in. A collector
/// that is away costs nothing but the traces: what does not fit into the queue is dropped.
pub fn provider(settings: &TraceSettings) -> Result<SdkTracerProvider, ExporterBuildError> {
    let mut exporter =
        SpanExporter::builder().with_tonic().with_endpoint(&settings.endpoint).with_timeout(EXPORT_TIMEOUT);
    if settings.endpoint.starts_with("https://") {
        let own = settings.authorities.as_deref().map(Certificate::from_pem);
        exporter = exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots().ca_certificates(own));
    }
    let instance = settings.instance.as_ref().map(|id| KeyValue::new("service.instance.id", id.clone()));
    let resource = Resource::builder_empty()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attributes(instance)
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(Outlet(exporter.build()?))
        // Only what is sampled comes here.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource)
        .build())
}

/// Turns the spans of sampled requests into steps of their traces. It sees every span, and passes few on.
pub struct TraceLayer<S>(OpenTelemetryLayer<S, SdkTracer>);

/// Marks a span that is told, for those below it.
struct Told;

impl<S> TraceLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    pub fn new(provider: &SdkTracerProvider) -> Self {
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("keystead"))
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false);
        Self(layer)
    }

    fn tells(context: &Context<'_, S>, id: &Id) -> bool {
        context.span(id).is_some_and(|span| span.extensions().get::<Told>().is_some())
    }
}

impl<S> Layer<S> for TraceLayer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let target = attributes.metadata().target();
        let Some(span) = context.span(id).filter(|_| target == TRACED || target.starts_with(STATEMENTS)) else {
            return;
        };
        let is_below = span.parent().is_some_and(|parent| parent.extensions().get::<Told>().is_some());
        // The attached context is what the layer takes for the parent of a span that stands below no other.
        let request = if is_below { None } else { Request::named_in(attributes) };
        let _attached = match (is_below, request) {
            (true, _) => None,
            (false, Some(request)) => Some(request.context().attach()),
            (false, None) => return,
        };
        span.extensions_mut().insert(Told);
        drop(span);
        self.0.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if Self::tells(&context, id) {
            self.0.on_record(id, values, context);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if Self::tells(&context, id) {
            self.0.on_exit(id, context);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if Self::tells(&context, &id) {
            self.0.on_close(id, context);
        }
    }
}

/// The trace of a request, and the caller's step in it, as its span names them.
#[derive(Default)]
struct Request {
    trace: Option<TraceId>,
    parent: Option<SpanId>,
}

impl Request {
    fn named_in(attributes: &Attributes<'_>) -> Option<Self> {
        let mut request = Self::default();
        attributes.record(&mut request);
        request.trace.is_some().then_some(request)
    }

    /// A trace that begins here gets a parent, too, or the SDK would give it another id; [`Outlet`] takes it off.
    fn context(&self) -> OtelContext {
        let (trace, parent) = (self.trace.unwrap_or(TraceId::INVALID), self.parent.unwrap_or(BEGINNING));
        let parent = SpanContext::new(trace, parent, TraceFlags::SAMPLED, true, TraceState::NONE);
        OtelContext::new().with_remote_span_context(parent)
    }
}

impl Visit for Request {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "trace_id" => self.trace = TraceId::from_hex(&format!("{value:?}")).ok(),
            "parent_id" => self.parent = SpanId::from_hex(&format!("{value:?}")).ok(),
            _ => {}
        }
    }
}
