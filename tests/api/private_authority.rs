//! Everything that the service speaks to by TLS, vouched for by an authority that is not public.

use std::fs;
use std::time::Duration;

use keystead::grpc::pb::TokenStatus;
use serde_json::json;
use tempfile::TempDir;
use tonic::Code;

use crate::doctor::doctor;
use crate::harness::collector::Collector;
use crate::harness::encrypted::{acceptor, encrypting};
use crate::harness::federation::IDP;
use crate::harness::mailbox::RESET;
use crate::harness::provider::{Provider, REDIRECT};
use crate::harness::smtp::MailServer;
use crate::harness::{Backend, MASTER_KEY, Person, Program, Setup, eventually, until};
use crate::support::postgres::PostgresServer;
use crate::support::process::free_port;
use crate::support::redis::RedisServer;
use crate::tls::Pki;

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

// promise S5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_by_starttls_waits_until_its_servers_authority_is_trusted() {
    let (own, other) = (Pki::new(), Pki::new());
    let quoted = |pki: &Pki| format!("'{}'", pki.path("ca.crt").display());
    let port = free_port();
    let (certificate, key) = own.issue("localhost");
    let server = MailServer::start_with_starttls(port, acceptor(&certificate, &key)).await;
    let url = format!("'smtp://keystead:letters@localhost:{port}'");
    let setup = Setup::on(Backend::Sqlite).with("mail.smtp_url", &url);
    let mut keystead = setup.with("tls.ca_file", &quoted(&other)).start().await;
    let ada = Person::new("ada");
    ada.register(&keystead.client().await).await;
    let client = keystead.client().await;
    client.ask_for_reset(&ada.email).await.expect("taken, though the mail server is not trusted");
    let records = keystead.records().await;
    // What has been tried lies there sealed, and waits for the next try.
    let tried = "outbox WHERE kind = 'password_reset' AND sealed IS NOT NULL";
    until("a try to deliver", || async { records.count(tried).await == 1 }).await;

    keystead.restart_with("tls.ca_file", &quoted(&own)).await;
    assert_eq!((server.all().len(), records.count(tried).await), (0, 1), "nothing went to whom nobody vouched for");
    until("the mail", || async {
        // Towards the next try, and not so fast that the token in the mail expires.
        keystead.clock.advance(Duration::from_secs(1));
        server.to(&ada.email).iter().any(|mail| mail.token(RESET).is_some())
    })
    .await;
    until("an empty outbox", || async { records.count("outbox").await == 0 }).await;
}

// promises S5, O8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_at_a_provider_that_only_the_own_authority_vouches_for() {
    let own = Pki::new();
    let (certificate, key) = own.issue("localhost");
    let provider = Provider::start_with_tls(&certificate, &key).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let mut keystead = Setup::on(Backend::Sqlite).at_provider(IDP, "oidc", &provider).start().await;
    let refused = keystead.client().await.begin_at(IDP, REDIRECT, &"A".repeat(43)).await;
    refused.expect_err("nobody vouches for it").is(Code::Unavailable, "PROVIDER_UNAVAILABLE");
    assert_eq!(provider.script().asked, Vec::<String>::new(), "nothing was said to it");

    keystead.restart_with("tls.ca_file", &format!("'{}'", own.path("ca.crt").display())).await;
    let client = keystead.client().await;
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    assert_eq!(client.status_of(&signed_in.tokens.access_token).await, TokenStatus::Active);
    let asked = ["/.well-known/openid-configuration", "/token", "/jwks"].map(|path| provider.times_asked(path));
    assert_eq!(asked, [1; 3]);
}

// promise S5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_go_to_a_collector_that_the_own_authority_vouches_for_and_to_no_other() {
    let (own, other, folder) = (Pki::new(), Pki::new(), TempDir::new().expect("a folder"));
    let collector = Collector::start().await;
    let (certificate, key) = own.issue("localhost");
    let endpoint = format!("https://localhost:{}", encrypting(collector.address.port(), &certificate, &key).await);
    let serve = async |pki: &Pki| {
        let authority = pki.path("ca.crt").display().to_string();
        let variables = [
            ("KEYSTEAD_TLS_CA_FILE", authority.as_str()),
            ("KEYSTEAD_TELEMETRY_OTLP_ENDPOINT", &endpoint),
            ("KEYSTEAD_TELEMETRY_SAMPLE_RATIO", "1"),
        ];
        let program = Program::start(folder.path(), &variables).await;
        Person::new("ada").register(&program.client().await).await;
        program.signal("TERM");
        let (status, log) = program.end().await;
        assert_eq!(status.code(), Some(0), "{log}");
    };
    // What is left at the end is told before it, or not at all.
    serve(&other).await;
    assert_eq!(collector.steps().len(), 0);
    serve(&own).await;
    assert!(collector.steps().iter().any(|step| step.name.ends_with("/Register")), "{:?}", collector.steps());
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
