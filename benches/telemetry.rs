//! T1: what it costs verification that one trace in a hundred is collected.

use std::net::SocketAddr;

use anyhow::Result;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tonic::{Request, Response, Status};

use crate::Found;
use crate::api;
use crate::h2load::Load;
use crate::keystead::Installation;
use crate::process;
use crate::report::{Figure, Target};
use crate::verification::VERIFY;

const ROUNDS: usize = 5;

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
    let mut loads = Vec::new();
    for keystead in [&traced, &plain] {
        let mut sessions = api::register_all(keystead, 1).await?;
        let tokens = api::fresh_tokens(keystead, &mut sessions, 1).await?;
        loads.push(Load::closed(keystead.grpc, VERIFY, &api::question(&tokens[0]), (4, 32)));
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push((loads[0].run().await?.rate, loads[1].run().await?.rate));
    }
    let what = "VerifyToken with one trace in a hundred collected, against no traces";
    let figure = Figure { id: "T1", what, unit: "/s", target: Target::AtLeast(0.95), rounds };
    Ok(Found { figures: vec![figure], plots: Vec::new() })
}
