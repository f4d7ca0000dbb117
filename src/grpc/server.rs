//! The server: bound first, so that its port is known, then served until it has drained.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::Builder as Reflection;

use super::access::AccessFault;
use super::account_service::AccountApi;
use super::admin_service::AdminApi;
use super::auth_service::AuthApi;
use super::calls::Calls;
use super::ext_authz::ExtAuthzApi;
use super::front::Front;
use super::health::HealthApi;
use super::methods::Methods;
use super::pb;
use super::pb::account_service_server::AccountServiceServer;
use super::pb::admin_service_server::AdminServiceServer;
use super::pb::auth_service_server::AuthServiceServer;
use super::pb::envoy::authorization_server::AuthorizationServer;
use super::pb::token_service_server::TokenServiceServer;
use super::settings::Settings;
use super::stay::Stay;
use super::token_service::TokenApi;
use super::transport::connection::{self, Answerer, Limits};
use super::transport::tls::{Reload, Tls, TlsFault, TlsFiles};
use super::web::Web;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::proxies::ProxyTrust;
use crate::domain::trace::Traces;
use crate::net::{Accepted, Connections, Listener};
use crate::service::access::CheckAccess;
use crate::service::health::Health;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const TLS_RELOAD_INTERVAL: Duration = Duration::from_secs(10);
/// What a connection gets beyond its age and the longest call, to carry its last answers home.
const CONNECTION_GRACE: Duration = Duration::from_secs(5);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("the gRPC address {0} cannot be bound: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    #[error(transparent)]
    Tls(#[from] TlsFault),
    #[error("the contract is at fault: {0}")]
    Contract(#[from] AccessFault),
    #[error("reflection cannot be built: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// The services of `keystead.v1`, and Envoy's.
pub struct Services {
    pub auth: AuthApi,
    pub account: AccountApi,
    pub admin: AdminApi,
    pub token: TokenApi,
    pub ext_authz: ExtAuthzApi,
}

impl Services {
    pub fn into_routes(self) -> Routes {
        Routes::new(AuthServiceServer::new(self.auth))
            .add_service(AccountServiceServer::new(self.account))
            .add_service(AdminServiceServer::new(self.admin))
            .add_service(TokenServiceServer::new(self.token))
            .add_service(AuthorizationServer::new(self.ext_authz))
    }
}

/// What the edge stands on.
pub struct Needs {
    /// The services, but for health and reflection, which are the edge's own.
    pub routes: Routes,
    pub access: Arc<CheckAccess>,
    pub health: watch::Receiver<Health>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub traces: Arc<Traces>,
}

/// The gRPC server.
pub struct Server;

/// A server whose port is open, and that answers once [`Bound::serve`] runs.
pub struct Bound {
    listener: Listener,
    worker: Worker,
}

/// What every connection shares.
#[derive(Clone)]
struct Worker {
    answerer: Answerer,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    drain: CancellationToken,
}

impl Server {
    /// Opens the port. The settings are taken to be valid: see [`Settings::validate`].
    pub async fn bind(settings: Settings, needs: Needs) -> Result<Bound, BindError> {
        let tls = load_tls(&settings).await?;
        let drain = CancellationToken::new();
        let limits = Limits {
            max_streams: settings.max_streams,
            age: jittered(settings.connection_age, &*needs.entropy),
            end: settings.connection_age.saturating_mul(2) + settings.max_deadline + CONNECTION_GRACE,
        };
        let listen = settings.listen;
        let listener = Listener::bind(listen, settings.max_connections).await;
        let listener = listener.map_err(|error| BindError::Listen(listen, error))?;
        let web = Web::open_to(&settings.web_origins);
        let answerer = Answerer { front: Arc::new(front(settings, needs, &drain)?), web };
        Ok(Bound { listener, worker: Worker { answerer, tls, limits, drain } })
    }
}

impl Bound {
    /// The address that was bound, its port never 0.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What is counted of the calls.
    pub fn calls(&self) -> Arc<Calls> {
        Arc::clone(&self.worker.answerer.front.calls)
    }

    /// How many connections are open.
    pub fn connections(&self) -> Connections {
        self.listener.connections()
    }

    /// Serves until `shutdown`; then tells NOT_SERVING, asks every client to go, and ends when the last call has.
    ///
    /// How long that may take is for the caller to bound.
    pub async fn serve(self, shutdown: CancellationToken) {
        let Self { listener, worker } = self;
        let connections = TaskTracker::new();
        // Whoever drops this future before its end cuts off what is left, instead of leaving it to run on.
        let cut_off = CancellationToken::new();
        let _cut_off_when_dropped = cut_off.clone().drop_guard();
        if let Some(tls) = worker.tls.clone() {
            connections.spawn(keep_renewed(tls, shutdown.clone()));
        }
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => {
                    let conversation = worker.clone().converse(accepted);
                    connections.spawn(cut_off.clone().run_until_cancelled_owned(conversation));
                }
            }
        }
        // New clients are refused from here on, instead of waiting in a queue that nobody serves.
        drop(listener);
        worker.drain.cancel();
        connections.close();
        connections.wait().await;
    }
}

impl Worker {
    async fn converse(self, accepted: Accepted) {
        let Accepted { stream, peer, slot } = accepted;
        match &self.tls {
            None => connection::serve(stream, peer, self.answerer, self.limits, self.drain).await,
            Some(tls) => {
                let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.acceptor().accept(stream));
                match self.drain.run_until_cancelled(handshake).await {
                    None => {}
                    Some(Ok(Ok(stream))) => {
                        connection::serve(stream, peer, self.answerer, self.limits, self.drain).await;
                    }
                    Some(Ok(Err(error))) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                    Some(Err(_elapsed)) => tracing::debug!(%peer, "a TLS handshake took too long"),
                }
            }
        }
        drop(slot);
    }
}

async fn load_tls(settings: &Settings) -> Result<Option<Arc<Tls>>, TlsFault> {
    let (Some(certificate), Some(private_key)) = (&settings.tls_certificate, &settings.tls_private_key) else {
        return Ok(None);
    };
    let files = TlsFiles {
        certificate: certificate.clone(),
        private_key: private_key.clone(),
        client_ca: settings.tls_client_ca.clone(),
    };
    Tls::load(files).await.map(|tls| Some(Arc::new(tls)))
}

/// Looks at the certificate's files again and again, until cancelled.
async fn keep_renewed(tls: Arc<Tls>, cancelled: CancellationToken) {
    while cancelled.run_until_cancelled(tokio::time::sleep(TLS_RELOAD_INTERVAL)).await.is_some() {
        match tls.reload().await {
            Reload::Unchanged => {}
            Reload::Renewed => tracing::info!("the TLS certificate has been renewed"),
            Reload::Failed(fault) => tracing::error!(%fault, "the new TLS certificate is not taken: the old one stays"),
        }
    }
}

fn front(settings: Settings, needs: Needs, drain: &CancellationToken) -> Result<Front, BindError> {
    let health = HealthServer::new(HealthApi::new(needs.health, drain.clone()));
    let mut routes = needs.routes.add_service(health);
    if settings.reflection {
        routes = routes.add_service(reflection().build_v1()?).add_service(reflection().build_v1alpha()?);
    }
    let methods = Methods::served(settings.reflection)?;
    Ok(Front {
        routes: routes.prepare(),
        calls: Arc::new(Calls::of(&methods)),
        methods: if settings.open_revocation_feed { methods.with_open_feed() } else { methods },
        access: needs.access,
        proxies: ProxyTrust { proxies: settings.trusted_proxies, header: settings.forwarded_header },
        max_deadline: settings.max_deadline,
        stay: Arc::new(Stay { drain: drain.clone(), longest: settings.connection_age }),
        clock: needs.clock,
        traces: needs.traces,
    })
}

/// The contract, health, and the details of errors, which tools cannot show otherwise.
fn reflection() -> Reflection<'static> {
    Reflection::configure()
        .register_encoded_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
}

/// The age less up to a fifth, so that the connections of replicas started together do not all end at once.
fn jittered(age: Duration, entropy: &dyn Entropy) -> Duration {
    let mut byte = [0];
    entropy.fill(&mut byte);
    age.saturating_sub(age / 5 * u32::from(byte[0]) / u32::from(u8::MAX))
}

#[cfg(test)]
mod tests;
