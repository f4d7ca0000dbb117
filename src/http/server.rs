//! The server: bound first, so that its port is known, then served until it has drained.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection;
use super::oauth::OAuthApi;
use super::router::router;
use super::settings::Settings;
use crate::domain::clock::{Clock, Entropy};
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
    pub entropy: Arc<dyn Entropy>,
    pub start_oauth: Arc<StartOAuth>,
    pub come_back: Arc<ComeBack>,
}

/// The HTTP server.
pub struct Server;

/// A server whose port is open, and that answers once [`Bound::serve`] runs.
pub struct Bound {
    listener: Listener,
    router: Router,
}

impl Server {
    /// Opens the port.
    pub async fn bind(settings: &Settings, needs: Needs) -> io::Result<Bound> {
        let listener = Listener::bind(settings.listen, settings.max_connections).await?;
        Ok(Bound { listener, router: router(settings, needs) })
    }
}

impl Bound {
    /// The address that was bound, its port never 0.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown`; then ends when the last answer has been given.
    ///
    /// How long that may take is for the caller to bound.
    pub async fn serve(self, shutdown: CancellationToken) {
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
