//! A real browser, on a page that signs in by gRPC-Web and looks at the account.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{self, Sender};

use crate::harness::{Backend, Keystead, Person, Setup, on_each_backend};
use crate::support::packages;

const PATIENCE: Duration = Duration::from_mins(1);

/// Reads a request to the end of its announced body; its first line, and the body. `None` for a connection that a browser
/// opens in advance and never uses.
async fn request(connection: &mut TcpStream) -> Option<(String, String)> {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4_096];
        let count = connection.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let announced = head.to_ascii_lowercase();
        let length = announced.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some((head.lines().next()?.to_owned(), body.to_owned()));
        }
    }
}

/// Gives the page to who asks for it; what it tells goes into the channel.
async fn converse(mut connection: TcpStream, page: Arc<str>, told: Sender<String>) {
    let Some((line, body)) = request(&mut connection).await else { return };
    let (status, content) = if line.starts_with("GET / ") { ("200 OK", &*page) } else { ("404 Not Found", "") };
    let length = content.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: {length}");
    connection.write_all(format!("{head}\r\n\r\n{content}").as_bytes()).await.unwrap_or_default();
    if line.starts_with("POST /result ") {
        told.send(body).await.unwrap_or_default();
    }
}

/// Serves the page until it has told its result.
async fn result_of(listener: TcpListener, page: String) -> String {
    let page: Arc<str> = page.into();
    let (sender, mut told) = mpsc::channel(1);
    loop {
        tokio::select! {
            result = told.recv() => return result.expect("a result"),
            accepted = listener.accept() => {
                let (connection, _) = accepted.expect("a connection");
                tokio::spawn(converse(connection, Arc::clone(&page), sender.clone()));
            }
        }
    }
}

/// A browser without a window, at a page.
pub fn browse(url: &str, profile: &std::path::Path) -> Child {
    Command::new(packages::chromium())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--remote-debugging-port=0")
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the browser starts")
}

/// What the page tells, served from an origin that is allowed, or not.
async fn told_in_a_browser(backend: Backend, is_allowed: bool) -> (String, Person) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("its number");
    let origin = if is_allowed { format!("[\"http://{address}\"]") } else { "[\"http://localhost:1\"]".to_owned() };
    let keystead: Keystead = Setup::on(backend).with("grpc.web_origins", &origin).start().await;
    let person = Person::new("ada");
    person.register(&keystead.client().await).await;
    let service = format!("http://{}", keystead.replica(0).grpc);
    let settings = serde_json::json!({ "service": service, "email": person.email, "password": person.password });
    let page = include_str!("page.html")
        .replace("SETTINGS", &settings.to_string())
        .replace("TOKEN_PATH", "[1, 1]")
        .replace("EMAIL_PATH", "[1, 2]");
    let profile = tempfile::tempdir().expect("a folder");
    let _browser = browse(&format!("http://{address}/"), profile.path());
    let told = tokio::time::timeout(PATIENCE, result_of(listener, page)).await.expect("the page tells its result");
    (told, person)
}

async fn a_browser_signs_in_and_sees_the_account(backend: Backend) {
    let (told, person) = told_in_a_browser(backend, true).await;
    assert_eq!(told, person.email);
}

#[tokio::test]
async fn a_browser_keeps_other_pages_out() {
    let (told, _) = told_in_a_browser(Backend::Sqlite, false).await;
    assert!(told.contains("Failed to fetch"), "{told}");
}

on_each_backend!(a_browser_signs_in_and_sees_the_account);
