//! A certified provider that nobody here wrote, without a browser and in a real one.

use std::net::{Ipv4Addr, SocketAddr, TcpStream as BlockingStream};
use std::path::Path;
use std::process::{Command as BlockingCommand, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::grpc_web::browser::browse;
use crate::harness::federation::{IDP, Visit, challenge_of, new_verifier};
use crate::harness::provider::{CLIENT_ID, parameters};
use crate::harness::records::canary;
use crate::harness::{Backend, Keystead, Setup, http_get, on_each_backend, until};
use crate::support::process::free_port;

const PATIENCE: Duration = Duration::from_mins(1);
const EMAIL: &str = "ada@example.com";

/// A Keystead, the provider that it knows, and the page that browsers end at.
struct Scene {
    keystead: Keystead,
    http: SocketAddr,
    page: TcpListener,
    redirect: String,
    _provider: Child,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        let (port, http_port, secret) = (free_port(), free_port(), canary("secret"));
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, http_port));
        let callback = format!("http://{http}/oauth/{IDP}/callback");
        let provider = start(port, &secret, &callback).await;
        let page = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let redirect = format!("http://{}/signed-in", page.local_addr().expect("its number"));
        let path = |setting: &str| format!("oauth.providers.{IDP}.{setting}");
        let keystead = Setup::on(backend)
            .with("http.listen", &format!("\"{http}\""))
            .with("http.public_url", &format!("\"http://{http}\""))
            .with("oauth.allow_loopback_http", "true")
            .with(&path("kind"), "\"oidc\"")
            .with(&path("issuer"), &format!("\"http://127.0.0.1:{port}\""))
            .with(&path("client_id"), &format!("\"{CLIENT_ID}\""))
            .with(&path("client_secret"), &format!("\"{secret}\""))
            .with(&path("redirects"), &format!("[\"{redirect}\"]"))
            .start()
            .await;
        Self { keystead, http, page, redirect, _provider: provider }
    }

    async fn signed_in(&self, query: &str, verifier: String) {
        let given = parameters(query);
        let visit = Visit { verifier, state: given["state"].clone(), code: given["code"].clone() };
        let client = self.keystead.client().await;
        let signed_in = client.end_visit(&visit).await.expect("tokens");
        let me = client.bearing(&signed_in.tokens.access_token).me().await.expect("the account");
        assert_eq!((&*me.email, me.email_verified, &*me.display_name), (EMAIL, true, "Ada"));
        assert!(signed_in.is_new_user);
    }
}

/// The provider as a process, put there by the script that puts the other tools.
async fn start(port: u16, secret: &str, callback: &str) -> Child {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let install = || BlockingCommand::new(root.join("scripts/tools")).arg("provider").status();
    let status = tokio::task::block_in_place(install).expect("the script starts");
    assert!(status.success(), "scripts/tools provider");
    let child = Command::new("node")
        .arg(root.join("tests/api/federation/certified.mjs"))
        .arg(root.join("target/tools/provider/node_modules"))
        .args([&port.to_string(), CLIENT_ID, secret, callback, EMAIL])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("node starts");
    until("the provider to listen", || async { BlockingStream::connect(("127.0.0.1", port)).is_ok() }).await;
    child
}

/// Follows redirects as a browser does, with its cookies, to the address that nobody here answers.
async fn follow(url: &str, end: &str) -> String {
    let (mut url, mut jar) = (url.to_owned(), Vec::<(String, String)>::new());
    for _ in 0..20 {
        if let Some(query) = url.strip_prefix(end) {
            return query.trim_start_matches('?').to_owned();
        }
        let rest = url.strip_prefix("http://").expect("plain HTTP").to_owned();
        let (host, path) = rest.split_once('/').expect("a path");
        let cookies = jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let answer = http_get(host.parse().expect("an address"), &format!("/{path}"), &[("cookie", &cookies)]).await;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            jar.retain(|(known, _)| known != name);
            jar.push((name.to_owned(), value.to_owned()));
        }
        let location = answer.header("location").unwrap_or_else(|| panic!("{url}: {answer:?}"));
        url = if location.starts_with('/') { format!("http://{host}{location}") } else { location.to_owned() };
    }
    panic!("no end to the redirects: {url}")
}

// promises O1, O2, O3
async fn a_certified_provider_signs_people_in(backend: Backend) {
    let scene = Scene::set(backend).await;
    let client = scene.keystead.client().await;
    let verifier = new_verifier();
    let flow = client.begin_at(IDP, &scene.redirect, &challenge_of(&verifier)).await.expect("a flow");
    let query = follow(&flow.authorization_url, &scene.redirect).await;
    scene.signed_in(&query, verifier).await;
}

// promise O1
async fn a_browser_goes_to_a_certified_provider_and_comes_back(backend: Backend) {
    let scene = Scene::set(backend).await;
    let verifier = new_verifier();
    let start = format!(
        "http://{}/oauth/{IDP}/start?redirect_uri={}&code_challenge={}&code_challenge_method=S256",
        scene.http,
        scene.redirect,
        challenge_of(&verifier)
    );
    let profile = tempfile::tempdir().expect("a folder");
    let _browser = browse(&start, profile.path());
    let query = tokio::time::timeout(PATIENCE, query_of(&scene.page)).await.expect("the browser ends at the page");
    scene.signed_in(&query, verifier).await;
}

/// What the browser asks the page with.
async fn query_of(page: &TcpListener) -> String {
    loop {
        let (mut connection, _) = page.accept().await.expect("a connection");
        let mut bytes = [0; 4_096];
        let count = connection.read(&mut bytes).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        connection.write_all(head.as_bytes()).await.unwrap_or_default();
        if let Some(rest) = text.strip_prefix("GET /signed-in?") {
            return rest.split(' ').next().unwrap_or_default().to_owned();
        }
    }
}

on_each_backend!(a_certified_provider_signs_people_in, a_browser_goes_to_a_certified_provider_and_comes_back);
