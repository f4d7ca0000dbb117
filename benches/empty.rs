//! The limit: a service on bare tonic that does nothing, in a process of its own with tonic's and tokio's defaults.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use tokio::process::{Child, Command};
use tonic::{Request, Response, Status};

use crate::pb::empty::empty_server::{Empty, EmptyServer};
use crate::pb::empty::{AnswerRequest, AnswerResponse};
use crate::process::{self, Usage};

/// The word by which the bench runs itself as the empty service.
pub const ARGUMENT: &str = "serve-empty";
/// Its one method.
pub const METHOD: &str = "/bench.v1.Empty/Answer";

struct Answers(usize);

#[tonic::async_trait]
impl Empty for Answers {
    async fn answer(&self, _: Request<AnswerRequest>) -> Result<Response<AnswerResponse>, Status> {
        Ok(Response::new(AnswerResponse { padding: "x".repeat(self.0) }))
    }
}

/// Serves answers of so many bytes, until it is killed.
pub async fn serve(address: SocketAddr, bytes: usize) -> Result<()> {
    let server = tonic::transport::Server::builder().add_service(EmptyServer::new(Answers(bytes)));
    Ok(server.serve(address).await?)
}

/// The running empty service.
pub struct EmptyService {
    pub address: SocketAddr,
    process: Child,
}

impl EmptyService {
    /// Answers with messages of so many bytes.
    pub async fn start(message: usize) -> Result<Self> {
        let address = process::free_address();
        let mut command = Command::new(std::env::current_exe()?);
        command.args([ARGUMENT, &address.to_string(), &padding(message).to_string()]);
        let process = command.stdin(Stdio::null()).kill_on_drop(true).spawn().context("the empty service starts")?;
        process::accepts(address).await?;
        Ok(Self { address, process })
    }

    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.process.id().context("the empty service runs")?)
    }
}

/// How long the one field has to be for a message of so many bytes: a tag and a length of one or two bytes go with it.
pub fn padding(message: usize) -> usize {
    if message < 130 { message.saturating_sub(2) } else { message - 3 }
}
