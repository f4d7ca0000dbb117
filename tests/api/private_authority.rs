//! PostgreSQL, Redis and the mail server by TLS, vouched for by an authority that is not public; by the real binary.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;

use keystead::grpc::pb::TokenStatus;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::doctor::doctor;
use crate::harness::smtp::MailServer;
use crate::harness::{Person, Program, eventually, until};
use crate::support::postgres::PostgresServer;
use crate::support::process::free_port;
use crate::support::redis::RedisServer;
use crate::tls::Pki;

/// 32 bytes for tests alone.
const MASTER_KEY: &str = "a2V5c3RlYWQtdGVzdHMtbWFzdGVyLWtleS0zMi1ieXQ=";

/// Servers that speak TLS as `localhost`.
struct Servers {
    mail: MailServer,
    variables: Vec<(&'static str, String)>,
    _running: (PostgresServer, RedisServer),
}

impl Servers {
    async fn start(pki: &Pki) -> Self {
        let (certificate, key) = pki.issue("localhost");
        let (shown, private) = (certificate.clone(), key.clone());
        let start = move || (PostgresServer::start_with_tls(&shown, &private), RedisServer::start());
        let (postgres, redis) = tokio::task::spawn_blocking(start).await.expect("the servers start");
        let mail_port = free_port();
        let mail = MailServer::start(mail_port).await;
        let database = postgres.fresh_database().replace("127.0.0.1", "localhost").replace("disable", "verify-full");
        let variables = vec![
            ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY.to_owned()),
            ("KEYSTEAD_DATABASE_URL", database),
            (
                "KEYSTEAD_REDIS_URL",
                format!("rediss://localhost:{}", encrypting(redis.port(), &certificate, &key).await),
            ),
            ("KEYSTEAD_REDIS_TIMEOUT", "1s".to_owned()),
            (
                "KEYSTEAD_MAIL_SMTP_URL",
                format!("smtps://localhost:{}", encrypting(mail_port, &certificate, &key).await),
            ),
        ];
        Self { mail, variables, _running: (postgres, redis) }
    }

    fn variables<'a>(&'a self, authority: &'a str) -> Vec<(&'a str, &'a str)> {
        let own = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        own.chain([("KEYSTEAD_TLS_CA_FILE", authority)]).collect()
    }
}

/// A port where TLS is spoken for a server on this machine that does not.
async fn encrypting(port: u16, certificate: &str, key: &str) -> u16 {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let own = listener.local_addr().expect("its number").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(stream).await else { return };
                let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
                // Either end may hang up.
                copy_bidirectional(&mut client, &mut server).await.ok();
            });
        }
    });
    own
}

// promise S5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_is_set_may_vouch_for_every_server_and_another_for_none() {
    let (own, other, folder) = (Pki::new(), Pki::new(), TempDir::new().expect("a folder"));
    let servers = Servers::start(&own).await;
    let (trusted, untrusted) = (own.path("ca.crt").display().to_string(), other.path("ca.crt").display().to_string());

    for authority in ["", &untrusted] {
        let report = doctor(folder.path(), &servers.variables(authority)).await;
        for check in ["database", "redis", "mail"] {
            assert_eq!(report.verdict(check), "fail", "{check}: {}", report.text);
        }
        assert!(report.text.contains("tls.ca_file"), "{}", report.text);
    }
    let report = doctor(folder.path(), &servers.variables(&trusted)).await;
    for (check, words) in [("database", "by TLSv1."), ("redis", "by TLS"), ("mail", "lets the service in")] {
        assert_eq!(report.verdict(check), "ok", "{check}: {}", report.text);
        let found = report.findings[check]["found"].as_str().expect("text");
        assert!(found.contains(words), "{found}");
    }

    let program = Program::start(folder.path(), &servers.variables(&trusted)).await;
    let client = program.client().await;
    let ada = Person::new("ada");
    let tokens = ada.register(&client).await.set;
    assert_eq!(client.status_of(&tokens.access_token).await, TokenStatus::Active);
    client.ask_for_reset(&ada.email).await.expect("asked for");
    let mails = || async { Some(servers.mail.to(&ada.email)).filter(|mails| !mails.is_empty()) };
    eventually("a mail over TLS", mails).await;
    program.signal("TERM");
    let (status, output) = program.end().await;
    assert_eq!(status.code(), Some(0), "{output}");
    assert!(output.contains("listening to redis") && !output.contains("redis is away"), "{output}");
}

// promise S5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_vouched_for_on_every_connection() {
    let (own, folder) = (Pki::new(), TempDir::new().expect("a folder"));
    let redis = tokio::task::spawn_blocking(RedisServer::start_cluster).await.expect("the server starts");
    let (certificate, key) = own.issue("127.0.0.1");
    let port = encrypting(redis.port(), &certificate, &key).await;
    // What the cluster says of itself leads to the port where TLS is spoken.
    assert_eq!(redis.command(&format!("CONFIG SET cluster-announce-port {port}")), "+OK");
    let (url, authority) = (format!("rediss+cluster://127.0.0.1:{port}"), own.path("ca.crt").display().to_string());
    let variables = [
        ("KEYSTEAD_REDIS_URL", url.as_str()),
        ("KEYSTEAD_REDIS_TIMEOUT", "1s"),
        ("KEYSTEAD_TLS_CA_FILE", authority.as_str()),
    ];
    let report = doctor(folder.path(), &variables).await;
    assert_eq!(report.verdict("redis"), "ok", "{}", report.text);
    let program = Program::start(folder.path(), &variables).await;
    let client = program.client().await;
    until("attempts to be counted in the cluster", || async {
        client.ask_for_reset("nobody@example.com").await.is_ok() && redis.command("DBSIZE") != ":0"
    })
    .await;
}

#[tokio::test]
async fn a_file_without_certificates_stops_the_start() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ca.pem");
    fs::write(&file, "canary-in-a-value").expect("a written file");
    let ended = Program::run(folder.path(), &[("KEYSTEAD_TLS_CA_FILE", file.to_str().expect("a path"))]).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    assert!(ended.output.contains("tls.ca_file") && !ended.output.contains("canary"), "{}", ended.output);
}
