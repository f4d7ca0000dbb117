//! The HTTP edge over a socket.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::domain::trace::Sampling;
use crate::http::oauth::testing;
use crate::service::testing::World;

const READY: Health =
    Health { started: true, verifies: true, signs: true, database: true, clock: true, draining: false };

struct Running {
    address: SocketAddr,
    metrics: Option<SocketAddr>,
    calls: Arc<Calls>,
    health: watch::Sender<Health>,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

async fn start(health: Health) -> Running {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    start_with(Settings { listen: free, ..Settings::default() }, health).await
}

async fn start_with(settings: Settings, health: Health) -> Running {
    let (health, receiver) = watch::channel(health);
    let world = World::new().await;
    let provider = Arc::default();
    let needs = Needs {
        authorize_request: Arc::new(AuthorizeRequest { verify_token: Arc::new(world.verify()) }),
        get_jwks: Arc::new(GetJwks { keys: world.keys.clone(), max_age: Duration::from_mins(5) }),
        oauth: testing::api(&world),
        start_oauth: Arc::new(world.start_oauth(&provider)),
        come_back: Arc::new(world.come_back()),
        health: receiver,
        clock: world.clock.clone(),
        traces: Arc::new(Traces::new(world.entropy.clone(), Sampling::Off)),
    };
    let page: Page = Arc::new(|| Box::pin(std::future::ready("keystead_ready 1\n".to_owned())));
    let calls = Arc::new(Calls::new(world.clock.clone()));
    let measured = Measured { calls: Arc::clone(&calls), page };
    let bound = Server::bind(&settings, needs, measured).await.unwrap();
    let (address, metrics) = (bound.local_addr().unwrap(), bound.metrics_addr().unwrap());
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(bound.serve(shutdown.clone()));
    Running { address, metrics, calls, health, shutdown, server }
}

impl Running {
    /// The whole answer to a request that closes its connection: head in lower case, and body.
    async fn ask(&self, line: &str, headers: &str) -> (String, String) {
        ask(self.address, line, headers).await
    }
}

async fn ask(address: SocketAddr, line: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nhost: keystead\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a response");
    (head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn the_metrics_are_told_beside_the_rest() {
    let running = start(READY).await;
    let (head, body) = running.ask("GET /metrics", "").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert_eq!((body.as_str(), running.metrics), ("keystead_ready 1\n", None));
}

#[tokio::test]
async fn with_a_port_of_their_own_the_metrics_are_told_there_alone() {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = start_with(Settings { listen: free, metrics_listen: Some(free), ..Settings::default() }, READY).await;
    assert!(running.ask("GET /metrics", "").await.0.starts_with("http/1.1 404"));
    let own = running.metrics.expect("a port of their own");
    assert_eq!(ask(own, "GET /metrics", "").await.1, "keystead_ready 1\n");
    assert!(ask(own, "GET /.well-known/jwks.json", "").await.0.starts_with("http/1.1 404"));
}

#[tokio::test]
async fn a_request_counts_under_the_path_of_its_endpoint_and_never_under_its_own() {
    let running = start(READY).await;
    for line in ["GET /livez", "GET /oauth/nobody/start", "GET /nothing", "POST /readyz"] {
        running.ask(line, "").await;
    }
    let readings = running.calls.read();
    let seen: Vec<_> = readings.iter().map(|reading| (reading.path.as_str(), reading.statuses[0].0)).collect();
    assert_eq!(seen, [("/livez", 200), ("/oauth/{provider}/start", 400), ("/readyz", 405), ("other", 404)]);
}

#[tokio::test]
async fn the_keys_are_served_with_public_members_alone() {
    let running = start(READY).await;
    let (head, body) = running.ask("GET /.well-known/jwks.json", "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/jwk-set+json"), "{head}");
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    let set: serde_json::Value = serde_json::from_str(&body).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    // promise T7
    assert!(keys.iter().all(|key| key.get("d").is_none() && key.get("kid").is_some()));
}

#[tokio::test]
async fn who_has_the_keys_already_gets_no_body() {
    let running = start(READY).await;
    let (head, body) = running.ask("GET /.well-known/jwks.json", "if-none-match: *\r\n").await;
    assert!(head.starts_with("http/1.1 304"), "{head}");
    assert!(body.is_empty());
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let running = start(READY).await;
    let (head, body) = running.ask("HEAD /.well-known/jwks.json", "").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("etag:"), "{head}");
    assert!(body.is_empty());
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_a_problem() {
    let running = start(READY).await;
    let (head, body) = running.ask("GET /nothing", "").await;
    assert!(head.starts_with("http/1.1 404") && head.contains("application/problem+json"), "{head}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["status"], 404);
    let (head, _) = running.ask("POST /readyz", "content-length: 0\r\n").await;
    assert!(head.starts_with("http/1.1 405") && head.contains("allow: get"), "{head}");
    assert!(head.contains("nosniff"), "{head}");
}

#[tokio::test]
async fn the_probes_tell_what_the_service_says_of_itself() {
    let running = start(Health::default()).await;
    for (path, before, after) in [("/livez", 200, 200), ("/readyz", 503, 200), ("/startupz", 503, 200)] {
        running.health.send_replace(Health::default());
        let (head, _) = running.ask(&format!("GET {path}"), "").await;
        assert!(head.starts_with(&format!("http/1.1 {before}")), "{path}: {head}");
        running.health.send_replace(READY);
        let (head, _) = running.ask(&format!("GET {path}"), "").await;
        assert!(head.starts_with(&format!("http/1.1 {after}")), "{path}: {head}");
    }
    running.health.send_replace(Health { database: false, ..READY });
    assert!(running.ask("GET /readyz", "").await.0.starts_with("http/1.1 200"));
}

// promise N4
#[tokio::test(start_paused = true)]
async fn headers_that_never_end_are_cut_off() {
    let running = start(READY).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost:").await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
}

// promise N7
#[tokio::test]
async fn a_shutdown_ends_idle_connections_and_refuses_new_ones() {
    let running = start(READY).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    running.ask("GET /livez", "").await;
    running.shutdown.cancel();
    running.server.await.unwrap();
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    assert!(TcpStream::connect(running.address).await.is_err());
}

// promise N4
#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_cut_off() {
    let running = start(READY).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = "POST /oauth2/token HTTP/1.1\r\nhost: k\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    stream.write_all(format!("{head}content-length: 9\r\n\r\ngrant").as_bytes()).await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
}
