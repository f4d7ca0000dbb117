//! A collector of traces: a real receiver of OTLP over gRPC, which keeps what it is sent.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use super::wait::eventually;

/// A running collector; it ends when dropped.
pub struct Collector {
    pub address: SocketAddr,
    received: Received,
    serving: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

/// A step of a trace.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: String,
    pub trace: String,
    pub id: String,
    /// Empty where it has none.
    pub parent: String,
    pub kind: SpanKind,
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
    /// Of the service that took it.
    pub resource: BTreeMap<String, String>,
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().expect("no poison").push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its number");
        let received = Received::default();
        let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(received.clone()));
        let serving = server.serve_with_incoming(TcpListenerStream::new(listener));
        let serving = tokio::spawn(async move { serving.await.expect("a collector") });
        Self { address, received, serving }
    }

    /// The setting that points to it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything so far.
    pub fn steps(&self) -> Vec<Step> {
        let received = self.received.0.lock().expect("no poison");
        let resources = received.iter().flat_map(|request| &request.resource_spans);
        let steps = resources.flat_map(|spans| {
            let resource = texts(spans.resource.as_ref().map(|resource| &resource.attributes[..]).unwrap_or_default());
            let spans = spans.scope_spans.iter().flat_map(|scope| &scope.spans);
            spans.map(move |span| Step::of(span, &resource))
        });
        steps.collect()
    }

    /// The step of this name in this trace, once it has come.
    pub async fn step(&self, trace: &str, name: &str) -> Step {
        let is_it = |step: &Step| step.trace == trace && step.name == name;
        eventually(&format!("the step {name}"), || async { self.steps().into_iter().find(is_it) }).await
    }

    /// All that was sent, as text.
    pub fn text(&self) -> String {
        format!("{:?}", self.received.0.lock().expect("no poison"))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Step {
    fn of(span: &Span, resource: &BTreeMap<String, String>) -> Self {
        Self {
            name: span.name.clone(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            kind: span.kind(),
            failed: span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error),
            attributes: texts(&span.attributes),
            resource: resource.clone(),
        }
    }

    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
        let text = match value {
            Some(Value::StringValue(text)) => text.clone(),
            other => format!("{other:?}"),
        };
        (attribute.key.clone(), text)
    };
    attributes.iter().map(text).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
