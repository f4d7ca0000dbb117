//! The composition root: builds everything, serves, and ends it in order. Production and tests build the same [`App`].
//!
//! May import everything; nobody imports it but `cli` and tests. Must not decide anything: what it knows is who needs
//! whom.

mod background;
pub mod banner;
mod cgroup;
pub mod console;
pub mod data_folder;
pub mod doctor;
mod machine;
mod mail_templates;
mod metrics;
mod stores;
pub mod system;
mod use_cases;

pub mod migrate;
pub mod start_error;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{MasterKey, Settings};
use crate::crypto::master_keys::MasterKeys;
use crate::crypto::password_hasher::{self, PasswordHasher};
use crate::crypto::seal::SealingKey;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::trace::Sampling;
use crate::service::health::HealthState;
use crate::{grpc, http};

use background::{Background, Mail};
use banner::Overview;
use data_folder::DataFolder;
use metrics::{Edges, Measured};
use start_error::StartError;
use stores::Stores;
use use_cases::UseCases;

/// How long the background loops, the HTTP edge and the stores may each take to end, once calls have.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// What tests hand in differently.
#[derive(Clone)]
pub struct Parts {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl Parts {
    /// The machine's own.
    pub fn of_system() -> Self {
        Self { clock: Arc::new(system::SystemClock::start()), entropy: Arc::new(system::SystemEntropy::new()) }
    }
}

/// Keystead, built and bound: its ports are open, and answer once [`App::serve`] runs.
pub struct App {
    overview: Overview,
    grpc: grpc::Bound,
    http: http::Bound,
    background: Background,
    health: Arc<HealthState>,
    stores: Stores,
    drain_delay: Duration,
    drain_timeout: Duration,
}

impl App {
    /// Connects, migrates, makes or opens the keys, reads the revocations, and opens the ports.
    pub async fn build(settings: Settings, parts: Parts) -> Result<Self, StartError> {
        install_tls_provider();
        let templates = mail_templates::load(&settings.service.mail)?;
        let master_keys = master_keys(&settings, &parts)?;
        let hasher = start_hashing(&settings.passwords, &parts)?;
        let stores = Stores::connect(&settings, &parts).await?;
        let use_cases = UseCases::build(&settings, &parts, &stores, master_keys, hasher).await?;
        let mailer = crate::outbound::mail::mailer(&settings.mail, Arc::clone(&parts.clock))
            .map_err(|fault| StartError::Settings(fault.to_string()))?;
        let mail = Mail { mailer, templates };
        let background = Background::new(&settings, &parts, &stores, &use_cases, mail);
        background.first_round().await?;
        let health = Arc::clone(&use_cases.health);
        let measured = Measured::new(&settings, &parts, &stores, &use_cases);
        let (grpc_needs, http_needs) = use_cases.into_needs(&parts, sampling(&settings));
        let grpc = grpc::Server::bind(settings.grpc.clone(), grpc_needs)
            .await
            .map_err(|error| StartError::Failed(error.to_string()))?;
        let http = bind_http(&settings.http, http_needs, measured, &grpc, &parts).await?;
        let overview = Overview::new(&settings, grpc.local_addr(), http.local_addr())?;
        Ok(Self {
            overview,
            grpc,
            http,
            background,
            health,
            stores,
            drain_delay: settings.drain.delay,
            drain_timeout: settings.drain.timeout,
        })
    }

    /// The address that gRPC was bound to, its port never 0.
    pub fn grpc_address(&self) -> SocketAddr {
        self.overview.grpc
    }

    /// The address that HTTP was bound to, its port never 0.
    pub fn http_address(&self) -> SocketAddr {
        self.overview.http
    }

    /// Where everything is, for whoever started it.
    pub fn overview(&self) -> &Overview {
        &self.overview
    }

    /// Serves until `shutdown`, then ends in order: not ready, no new calls, calls in flight under the deadline, loops,
    /// stores. Fails if something that should go on for ever did not.
    pub async fn serve(self, shutdown: CancellationToken) -> Result<(), StartError> {
        let (end_grpc, end_http, end_loops) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let mut calls = JoinSet::new();
        calls.spawn(self.grpc.serve(end_grpc.clone()));
        let mut probes = JoinSet::new();
        probes.spawn(self.http.serve(end_http.clone()));
        let mut loops = self.background.spawn(&end_loops);
        let outcome = tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            _ = calls.join_next() => Err(ended("the gRPC edge")),
            _ = probes.join_next() => Err(ended("the HTTP edge")),
            _ = loops.join_next() => Err(ended("a background loop")),
        };
        self.health.drain();
        tracing::info!("draining");
        tokio::time::sleep(self.drain_delay).await;
        end_grpc.cancel();
        let drained = end(&mut calls, self.drain_timeout).await;
        // Until here HTTP tells whoever asks that the process lives, and is not ready.
        end_http.cancel();
        end(&mut probes, END_TIMEOUT).await;
        end_loops.cancel();
        end(&mut loops, END_TIMEOUT).await;
        if tokio::time::timeout(END_TIMEOUT, self.stores.close()).await.is_err() {
            tracing::warn!("the database was not closed in time");
        }
        tracing::info!(drained = drained == Drain::Complete, "stopped");
        outcome
    }
}

/// Whether everything ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    Complete,
    CutOff,
}

/// Waits for the tasks; cuts off what is left at the deadline.
async fn end(tasks: &mut JoinSet<()>, deadline: Duration) -> Drain {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(deadline, all).await.is_ok() {
        return Drain::Complete;
    }
    tracing::warn!("what did not end in time is cut off");
    tasks.shutdown().await;
    Drain::CutOff
}

fn ended(what: &str) -> StartError {
    StartError::Failed(format!("{what} has ended, which it never should"))
}

/// Which requests that begin a trace are told to the collector, if there is one.
fn sampling(settings: &Settings) -> Sampling {
    settings.log.traces.as_ref().map_or(Sampling::Off, |traces| Sampling::Part(traces.sample_ratio))
}

/// The HTTP edge, with the page of everything that is measured.
async fn bind_http(
    settings: &http::Settings,
    needs: http::Needs,
    measured: Measured,
    grpc: &grpc::Bound,
    parts: &Parts,
) -> Result<http::Bound, StartError> {
    let calls = Arc::new(http::calls::Calls::new(Arc::clone(&parts.clock)));
    let edges = Edges { grpc: grpc.calls(), connections: grpc.connections(), http: Arc::clone(&calls) };
    let measured = http::Measured { calls, page: measured.into_page(edges) };
    http::Server::bind(settings, needs, measured).await.map_err(|error| StartError::Failed(error.to_string()))
}

/// The hashing threads, as many as the machine has room for where nothing else is set.
fn start_hashing(settings: &password_hasher::Settings, parts: &Parts) -> Result<PasswordHasher, StartError> {
    let (entropy, clock) = (Arc::clone(&parts.entropy), Arc::clone(&parts.clock));
    PasswordHasher::start(settings, &machine::look(), entropy, clock)
        .map_err(|fault| StartError::Settings(fault.to_string()))
}

/// The folder is made only where something of the embedded defaults lives in it: elsewhere the disk may be read-only.
fn master_keys(settings: &Settings, parts: &Parts) -> Result<Arc<MasterKeys>, StartError> {
    let folder = if settings.uses_data_folder() { Some(DataFolder::open(&settings.data.directory)?) } else { None };
    let current = match (&settings.master_key, folder) {
        (Some(key), _) => key.clone(),
        (None, Some(folder)) => folder.master_key(&*parts.entropy)?,
        (None, None) => return Err(StartError::Settings("keys.master_key is needed".to_owned())),
    };
    Ok(Arc::new(known_master_keys(&current, settings)))
}

/// The current master key, and the former ones that are set.
fn known_master_keys(current: &MasterKey, settings: &Settings) -> MasterKeys {
    let former = settings.former_master_keys.iter().map(|key| SealingKey::from_bytes(&key.0));
    MasterKeys::new(SealingKey::from_bytes(&current.0), former.collect())
}

/// One TLS provider for all. A second call finds the first one's.
fn install_tls_provider() {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.install_default().unwrap_or_else(|_| tracing::trace!("a TLS provider is installed already"));
}
