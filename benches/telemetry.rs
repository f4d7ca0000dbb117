//! T1: what it costs verification that one trace in a hundred is collected.

use std::net::SocketAddr;

use anyhow::Result;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tonic::{Request, Response, Status};

use crate::Found;
use crate::api;
use crate::h2load::Load;
use crate::keystead::{Installation, Keystead};
use crate::process;
use crate::report::{Figure, Target};
use crate::verification::VERIFY;

const ROUNDS: usize = 16;

/// Takes traces, and forgets them.
struct Collector;

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collect() -> Result<SocketAddr> {
    let address = process::free_address();
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector));
    tokio::spawn(server.serve(address));
    process::accepts(address).await?;
    Ok(address)
}

pub async fn measure() -> Result<Found> {
    let collector = collect().await?;
    let endpoint = format!("http://{collector}");
    let traced =
        Installation::sqlite()?.with("TELEMETRY_OTLP_ENDPOINT", &endpoint).with("TELEMETRY_SAMPLE_RATIO", "0.01");
    let (traced, plain) = (traced.start().await?, Installation::sqlite()?.start().await?);
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    let loads = [load(&traced).await?, load(&plain).await?];
    for round in 0..ROUNDS {
        let mut found = [(0.0, 0.0); 2];
        // Who goes first has the warmer processor, or the colder one: in turns.
        for place in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
            found[place] = rate_and_cost([&traced, &plain][place], &loads[place]).await?;
        }
        let [traced, plain] = found;
        rates.push((traced.0, plain.0));
        costs.push((traced.1, plain.1));
    }
    let what = "VerifyToken with one trace in a hundred collected, against no traces";
    let rate = Figure { id: "T1", what, unit: "/s", target: Target::AtLeast(0.95), rounds: rates };
    let what = "its processor time, against no traces";
    let cost = Figure { id: "T1", what, unit: "us", target: Target::AtMost(1.05), rounds: costs };
    Ok(Found { figures: vec![rate, cost], plots: Vec::new() })
}

async fn load(keystead: &Keystead) -> Result<Load> {
    let mut sessions = api::register_all(keystead, 1).await?;
    let tokens = api::fresh_tokens(keystead, &mut sessions, 1).await?;
    Ok(Load::closed(keystead.grpc, VERIFY, &api::question(&tokens[0]), (4, 32)))
}

/// Calls a second, and microseconds of a processor that one takes.
async fn rate_and_cost(keystead: &Keystead, load: &Load) -> Result<(f64, f64)> {
    let before = keystead.usage()?;
    let outcome = load.run().await?;
    let processor = keystead.usage()?.processor.saturating_sub(before.processor);
    Ok((outcome.rate, processor.as_secs_f64() * 1e6 / outcome.done))
}
