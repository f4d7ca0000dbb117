//! TLS on the gRPC port: what is spoken, who is let in, and certificates that are renewed.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use keystead::grpc::pb::GetJwksRequest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::harness::bare::{Bare, framed};
use crate::harness::{Backend, Client, Program, Setup, eventually};

const GET_JWKS: &str = "/keystead.v1.TokenService/GetJwks";

/// An authority, and a folder with a certificate from it.
pub struct Pki {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        let pki = Self { folder: TempDir::new().expect("a folder"), authority };
        fs::write(pki.path("ca.crt"), pki.authority.pem()).expect("a written file");
        pki.renew();
        pki
    }

    /// Puts a new certificate where the server finds it; its bytes.
    fn renew(&self) -> CertificateDer<'static> {
        let (certificate, key) = self.issue("localhost");
        fs::write(self.path("new.key"), key).expect("a written file");
        fs::set_permissions(self.path("new.key"), fs::Permissions::from_mode(0o600)).expect("a mode");
        fs::rename(self.path("new.key"), self.path("tls.key")).expect("a replaced file");
        fs::write(self.path("tls.crt"), &certificate).expect("a written file");
        CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate")
    }

    /// A certificate and its key, in PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        (params.signed_by(&key, &self.authority).expect("a certificate").pem(), key.serialize_pem())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn setup(&self) -> Setup {
        let quoted = |name: &str| format!("'{}'", self.path(name).display());
        Setup::on(Backend::Sqlite)
            .with("grpc.tls_certificate_file", &quoted("tls.crt"))
            .with("grpc.tls_key_file", &quoted("tls.key"))
    }

    pub fn trust(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.authority.pem())).domain_name("localhost")
    }

    /// A handshake with this version alone; the connection, on which nothing has been said yet.
    async fn shake_hands(
        &self,
        address: SocketAddr,
        version: &'static SupportedProtocolVersion,
    ) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).expect("a certificate");
        roots.add(authority).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]);
        let mut config = versions.expect("a version").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(address).await.expect("the port is open");
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake")
    }
}

/// A client by TLS; it may turn out only at its first call that it is not let in.
pub async fn connect(address: SocketAddr, tls: ClientTlsConfig) -> Result<Client, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", address.port()))?.tls_config(tls)?;
    Ok(Client::over(endpoint.connect().await?))
}

// promise N1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_by_tls_and_clear_text_is_refused() {
    let pki = Pki::new();
    let keystead = pki.setup().start().await;
    let address = keystead.replica(0).grpc;
    let client = connect(address, pki.trust()).await.expect("a connection");
    client.get_jwks(GetJwksRequest {}).await.expect("the keys");
    let refused = match Bare::connect(address).await {
        Ok(bare) => bare.try_send(bare.call(GET_JWKS), framed(&[])).await.is_err(),
        Err(_) => true,
    };
    assert!(refused, "clear text was answered");
    client.get_jwks(GetJwksRequest {}).await.expect("the keys");
}

// promise N1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_in_the_versions_1_2_and_1_3_and_no_other() {
    let pki = Pki::new();
    let keystead = pki.setup().start().await;
    let address = keystead.replica(0).grpc;
    for (version, expected) in
        [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let connection = pki.shake_hands(address, version).await;
        assert_eq!(connection.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(connection.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    }
    assert_eq!(answer_to_hello_of(address, 3).await.0, HANDSHAKE, "the hello is good but for its version");
    for minor in [0, 1, 2] {
        let (kind, level) = answer_to_hello_of(address, minor).await;
        assert_eq!((kind, level), (ALERT, FATAL), "version 3.{minor}");
    }
}

/// Types of records, and the level of an alert (RFC 5246, sections 6.2.1 and 7.2).
const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const FATAL: u8 = 2;

/// The type of the record that a ClientHello of version 3.`minor` gets, and the first byte in it: 0 is SSL 3.0, 1 is
/// TLS 1.0, 2 is TLS 1.1, 3 is TLS 1.2.
async fn answer_to_hello_of(address: SocketAddr, minor: u8) -> (u8, u8) {
    let random = [7; 32];
    // No session; ECDHE-ECDSA with AES-128-GCM; no compression.
    let suites = [0, 0, 2, 0xc0, 0x2b, 1, 0];
    // supported_groups: P-256; signature_algorithms: ECDSA with P-256 and SHA-256.
    let extensions = [0, 16, 0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 4, 0, 2, 4, 3];
    let hello = [&[3, minor][..], &random, &suites, &extensions].concat();
    let length = u8::try_from(hello.len()).expect("a short hello");
    let handshake = [&[1, 0, 0, length][..], &hello].concat();
    let record = [&[HANDSHAKE, 3, minor.min(1), 0, length + 4][..], &handshake].concat();
    let mut stream = TcpStream::connect(address).await.expect("the port is open");
    stream.write_all(&record).await.expect("a written hello");
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).await.expect("a record");
    (answer[0], answer[5])
}

// promise N1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_without_a_restart_and_connections_go_on() {
    let pki = Pki::new();
    let keystead = pki.setup().start().await;
    let address = keystead.replica(0).grpc;
    let client = connect(address, pki.trust()).await.expect("a connection");
    let renewed = pki.renew();
    eventually("the new certificate", || async {
        let connection = pki.shake_hands(address, &rustls::version::TLS13).await;
        let shown = connection.get_ref().1.peer_certificates().expect("a certificate")[0].clone();
        (shown == renewed).then_some(())
    })
    .await;
    client.get_jwks(GetJwksRequest {}).await.expect("the old connection goes on");
}

// promise N1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_clients_need_a_certificate_nobody_comes_in_without_one_of_the_authority() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let authority = format!("'{}'", pki.path("ca.crt").display());
    let keystead = pki.setup().with("grpc.tls_client_ca_file", &authority).start().await;
    let address = keystead.replica(0).grpc;
    let (certificate, key) = stranger.issue("client");
    for tls in [pki.trust(), pki.trust().identity(Identity::from_pem(certificate, key))] {
        assert!(!is_served(address, tls).await);
    }
    let (certificate, key) = pki.issue("client");
    assert!(is_served(address, pki.trust().identity(Identity::from_pem(certificate, key))).await);
}

/// Whether a call is answered. What refuses it is below gRPC, so that there is no status of ours to check.
async fn is_served(address: SocketAddr, tls: ClientTlsConfig) -> bool {
    let Ok(client) = connect(address, tls).await else { return false };
    let mut tokens = keystead::grpc::pb::token_service_client::TokenServiceClient::new(client.channel);
    tokens.get_jwks(GetJwksRequest {}).await.is_ok()
}

// promise N1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clear_text_beyond_loopback_has_to_be_asked_for() {
    let folder = TempDir::new().expect("a folder");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let ended = Program::run(folder.path(), &[("KEYSTEAD_GRPC_LISTEN", address)]).await;
        assert_eq!(ended.code, Some(64), "{}", ended.output);
        for word in ["grpc.listen", "KEYSTEAD_GRPC_LISTEN", "allow_cleartext"] {
            assert!(ended.output.contains(word), "{}", ended.output);
        }
    }
    let asked = [("KEYSTEAD_GRPC_LISTEN", "0.0.0.0:0"), ("KEYSTEAD_GRPC_ALLOW_CLEARTEXT", "true")];
    let program = Program::start(folder.path(), &asked).await;
    let client = Client::connect(SocketAddr::from(([127, 0, 0, 1], program.grpc.port()))).await;
    client.get_jwks(GetJwksRequest {}).await.expect("the keys");
}

// promises N1, S3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_others_can_read_stops_the_start() {
    let (pki, folder) = (Pki::new(), TempDir::new().expect("a folder"));
    fs::set_permissions(pki.path("tls.key"), fs::Permissions::from_mode(0o644)).expect("a mode");
    let (certificate, key) = (pki.path("tls.crt"), pki.path("tls.key"));
    let variables = [
        ("KEYSTEAD_GRPC_TLS_CERTIFICATE_FILE", certificate.to_str().expect("a path")),
        ("KEYSTEAD_GRPC_TLS_KEY_FILE", key.to_str().expect("a path")),
    ];
    let ended = Program::run(folder.path(), &variables).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    assert!(ended.output.contains("grpc.tls_key_file") && ended.output.contains("can read"), "{}", ended.output);
}
