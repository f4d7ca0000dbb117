//! One replica: the same `App` that the binary runs, in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use keystead::app::system::SystemEntropy;
use keystead::app::{App, Parts};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::clock::TestClock;
use super::http::HttpAnswer;
use super::log;
use super::settings::Values;

/// A serving replica; it ends with its test's runtime, or earlier by [`Replica::stop`].
pub struct Replica {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Replica {
    pub async fn start(values: &Values, clock: Arc<TestClock>) -> Self {
        log::listen();
        let parts = Parts { clock, entropy: Arc::new(SystemEntropy::new()) };
        let app =
            App::build(values.settings(), parts).await.unwrap_or_else(|error| panic!("the replica starts: {error}"));
        let (grpc, http) = (app.grpc_address(), app.http_address());
        let shutdown = CancellationToken::new();
        let end = shutdown.clone();
        let serving = tokio::spawn(async move { app.serve(end).await.expect("the replica ends well") });
        Self { grpc, http, shutdown, serving }
    }

    /// Ends the replica as SIGTERM does.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.expect("the replica ends well");
    }

    /// Asks the HTTP port; the status and the whole answer as text.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> HttpAnswer {
        super::http::get(self.http, path, headers).await
    }
}
