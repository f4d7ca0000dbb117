//! The server from its bind to the end of its drain.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::*;
use crate::grpc::pb::GetJwksRequest;
use crate::grpc::pb::token_service_client::TokenServiceClient;
use crate::grpc::testing::{Behaviour, Still, front as fake_front};

/// An authority, and a folder with a certificate from it.
struct Pki {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let pki = Self { folder: tempfile::tempdir().unwrap(), authority };
        let (certificate, key) = pki.issue("localhost");
        fs::write(pki.path("tls.crt"), certificate).unwrap();
        fs::write(pki.path("tls.key"), key).unwrap();
        fs::set_permissions(pki.path("tls.key"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(pki.path("ca.crt"), pki.authority.pem()).unwrap();
        pki
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::join(self.folder.path(), name)
    }

    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.authority).unwrap().pem(), key.serialize_pem())
    }

    fn settings(&self) -> Settings {
        Settings {
            tls_certificate: Some(self.path("tls.crt")),
            tls_private_key: Some(self.path("tls.key")),
            ..settings()
        }
    }

    fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.authority.pem())).domain_name("localhost")
    }
}

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

fn settings() -> Settings {
    Settings { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Settings::default() }
}

async fn start(settings: &Settings, behaviour: Behaviour) -> Running {
    let limits = Limits { max_streams: 100, age: settings.connection_age, end: settings.connection_age * 2 };
    let worker = Worker {
        answerer: Answerer { front: fake_front(behaviour).await, web: None },
        tls: load_tls(settings).await.expect("TLS"),
        limits,
        drain: CancellationToken::new(),
    };
    let listener = Listener::bind(settings.listen, settings.max_connections).await.unwrap();
    let bound = Bound { listener, worker };
    let address = bound.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    Running { address, shutdown: shutdown.clone(), server: tokio::spawn(bound.serve(shutdown)) }
}

async fn call(channel: Channel) -> Result<(), tonic::Status> {
    TokenServiceClient::new(channel).get_jwks(GetJwksRequest {}).await.map(|_| ())
}

fn https(address: SocketAddr, tls: ClientTlsConfig) -> Endpoint {
    Endpoint::from_shared(format!("https://localhost:{}", address.port())).unwrap().tls_config(tls).unwrap()
}

#[tokio::test]
async fn clear_text_is_served_and_a_shutdown_ends_it() {
    let running = start(&settings(), Behaviour::Answer).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", running.address)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    call(channel.clone()).await.expect("an answer");
    running.shutdown.cancel();
    running.server.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

// promise N7
#[tokio::test]
async fn who_stops_waiting_for_the_drain_cuts_the_calls_off() {
    let (begun, dropped) = (CancellationToken::new(), CancellationToken::new());
    let running = start(&settings(), Behaviour::Hang { begun: begun.clone(), dropped: dropped.clone() }).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", running.address)).unwrap();
    let calling = tokio::spawn(call(endpoint.connect().await.unwrap()));
    begun.cancelled().await;
    running.server.abort();
    let soon = tokio::time::timeout(Duration::from_secs(10), dropped.cancelled());
    soon.await.expect("cut off long before its deadline");
    assert!(calling.await.unwrap().is_err());
}

// promise N1
#[tokio::test]
async fn tls_is_served_where_it_is_set() {
    let pki = Pki::new();
    let running = start(&pki.settings(), Behaviour::Answer).await;
    let channel = https(running.address, pki.client()).connect().await.unwrap();
    call(channel).await.expect("an answer");
}

// promise N1
#[tokio::test]
async fn a_client_without_a_certificate_is_refused_where_one_is_asked_for() {
    let pki = Pki::new();
    let settings = Settings { tls_client_ca: Some(pki.path("ca.crt")), ..pki.settings() };
    let running = start(&settings, Behaviour::Answer).await;
    let stranger = https(running.address, pki.client());
    let refused = match stranger.connect().await {
        Ok(channel) => call(channel).await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
    let (certificate, key) = pki.issue("client");
    let known = https(running.address, pki.client().identity(Identity::from_pem(certificate, key)));
    call(known.connect().await.unwrap()).await.expect("an answer");
}

// promise N4
#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_begins_is_cut_off() {
    let running = start(&Pki::new().settings(), Behaviour::Answer).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty());
}

#[test]
fn the_age_of_connections_is_spread() {
    let age = Duration::from_secs(100);
    let spread = jittered(age, &Still);
    assert!(spread < age && spread >= age * 4 / 5, "{spread:?}");
}
