//! Traces.

use std::sync::Arc;

use super::http::BaseUrl;
use super::tls::Authorities;
use crate::config::form::Form;
use crate::config::reader::Reader;
use crate::telemetry::TraceSettings;

/// A part of a whole.
struct Ratio(f64);

impl Form for Ratio {
    const EXPECTED: &'static str = "a number from 0 to 1";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).map(Self)
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// `None` where nobody collects traces.
pub fn read(reader: &mut Reader, authorities: Option<&Authorities>) -> Option<TraceSettings> {
    let endpoint = reader.optional::<BaseUrl>(
        "telemetry.otlp_endpoint",
        "Where traces are sent by OTLP over gRPC, like `http://127.0.0.1:4317`, or by TLS with `https`. Without it no \
         traces are made.",
    );
    let sample_ratio = reader.value(
        "telemetry.sample_ratio",
        Ratio(0.01),
        "The part of the traces that begin here that is sent, from 0 to 1. Calls that come with a `traceparent` are sent \
         if it says that they are sampled, and otherwise not.",
    );
    let service_name =
        reader.value("telemetry.service_name", "keystead".to_owned(), "What the service is called in its traces.");
    let instance = reader
        .optional("telemetry.instance", "What tells this replica from the others in its traces, like the pod's name.");
    endpoint.map(|endpoint| TraceSettings {
        endpoint: endpoint.0,
        sample_ratio: sample_ratio.0,
        service_name,
        instance,
        authorities: authorities.map(|authorities| Arc::clone(&authorities.pem)),
    })
}
