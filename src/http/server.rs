//! The server: bound first, so that its port is known, then served until it has drained.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::calls::Calls;
use super::connection;
use super::metrics::Page;
use super::oauth::OAuthApi;
use super::router;
use super::settings::Settings;
use crate::domain::clock::Clock;
use crate::domain::trace::Traces;
use crate::net::{Accepted, Listener};
use crate::service::federation::come_back::ComeBack;
use crate::service::federation::start::StartOAuth;
use crate::service::gateway::authorize_request::AuthorizeRequest;
use crate::service::health::Health;
use crate::service::token::jwks::GetJwks;

/// What the edge stands on.
pub struct Needs {
    pub get_jwks: Arc<GetJwks>,
    pub authorize_request: Arc<AuthorizeRequest>,
    pub oauth: OAuthApi,
    pub health: watch::Receiver<Health>,
    pub clock: Arc<dyn Clock>,
    pub traces: Arc<Traces>,
    pub start_oauth: Arc<StartOAuth>,
    pub come_back: Arc<ComeBack>,
}

/// What is counted of the requests, and the page that tells of everything that is counted.
pub struct Measured {
    pub calls: Arc<Calls>,
    pub page: Page,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP address {0} cannot be bound: {1}")]
pub struct BindError(SocketAddr, #[source] io::Error);

/// The HTTP server.
pub struct Server;

/// A server whose ports are open, and that answers once [`Bound::serve`] runs.
pub struct Bound {
    public: Door,
    /// Where the metrics have a port of their own.
    metrics: Option<Door>,
}

/// An open port, and who answers behind it.
struct Door {
    listener: Listener,
    router: Router,
}

impl Server {
    /// Opens the ports.
    pub async fn bind(settings: &Settings, needs: Needs, measured: Measured) -> Result<Bound, BindError> {
        let page = router::metrics(measured.page);
        let public = router::router(settings, needs);
        let (public, metrics) = match settings.metrics_listen {
            None => (public.merge(page), None),
            Some(address) => (public, Some(Door::open(address, settings, router::finished(page)).await?)),
        };
        let public = router::counted(router::finished(public), measured.calls);
        Ok(Bound { public: Door::open(settings.listen, settings, public).await?, metrics })
    }
}

impl Bound {
    /// The address that was bound, its port never 0.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.public.listener.local_addr()
    }

    /// The address of the metrics' own port, where they have one.
    pub fn metrics_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.metrics.as_ref().map(|door| door.listener.local_addr()).transpose()
    }

    /// Serves until `shutdown`; then ends when the last answer has been given.
    ///
    /// How long that may take is for the caller to bound.
    pub async fn serve(self, shutdown: CancellationToken) {
        let metrics = async {
            if let Some(door) = self.metrics {
                door.serve(shutdown.clone()).await;
            }
        };
        tokio::join!(self.public.serve(shutdown.clone()), metrics);
    }
}

impl Door {
    async fn open(address: SocketAddr, settings: &Settings, router: Router) -> Result<Self, BindError> {
        let listener = Listener::bind(address, settings.max_connections).await;
        Ok(Self { listener: listener.map_err(|error| BindError(address, error))?, router })
    }

    async fn serve(self, shutdown: CancellationToken) {
        let Self { listener, router } = self;
        let connections = TaskTracker::new();
        // Whoever drops this future before its end cuts off what is left, instead of leaving it to run on.
        let cut_off = CancellationToken::new();
        let _cut_off_when_dropped = cut_off.clone().drop_guard();
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => {
                    let conversation = converse(accepted, router.clone(), shutdown.clone());
                    connections.spawn(cut_off.clone().run_until_cancelled_owned(conversation));
                }
            }
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }
}

async fn converse(accepted: Accepted, router: Router, drain: CancellationToken) {
    let Accepted { stream, peer, slot } = accepted;
    connection::serve(stream, peer, router, drain).await;
    drop(slot);
}

#[cfg(test)]
mod tests;
