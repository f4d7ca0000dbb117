//! Clients that nobody here wrote, against the endpoints as they find them described.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::harness::{Backend, Keystead, Machine, Person, Setup, on_each_backend};
use crate::support::process::free_port;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A service that is its own issuer, as its clients reach it.
async fn reachable(backend: Backend) -> (Keystead, String) {
    let port = free_port();
    let issuer = format!("http://127.0.0.1:{port}");
    let setup = Setup::on(backend).with("http.listen", &format!("'127.0.0.1:{port}'"));
    (setup.with("tokens.issuer", &format!("'{issuer}'")).start().await, issuer)
}

async fn install() {
    let mut tools = Command::new("bash");
    tools.args(["scripts/tools", "oauth"]).current_dir(ROOT).stdin(Stdio::null());
    assert!(tools.status().await.expect("bash").success(), "the libraries can be found or installed");
}

/// What the client was told.
async fn drive(mut command: Command, asked: &Value) -> Value {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut client = command.spawn().expect("the client starts");
    let mut input = client.stdin.take().expect("a pipe");
    input.write_all(asked.to_string().as_bytes()).await.expect("written");
    drop(input);
    let output = client.wait_with_output().await.expect("the client ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Both grants, both ways to authenticate, introspection and revocation, and two refusals.
async fn walks(backend: Backend, command: Command) {
    install().await;
    let (keystead, issuer) = reachable(backend).await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let machine = Machine::create(&admin, &["verifier"]).await;
    let refresh_token = Person::new("ada").register(&client).await.set.refresh_token;
    let asked = json!({
        "issuer": issuer,
        "client_id": machine.id,
        "client_secret": machine.secret,
        "refresh_token": refresh_token,
    });
    let mut told = drive(command, &asked).await;
    // RFC 6749, section 5.1: the type is compared without regard to case.
    for issued in told["issued"].as_array_mut().expect("a list") {
        *issued = issued.as_str().expect("a type").to_lowercase().into();
    }
    let expected = json!({
        "issued": ["bearer", "bearer"],
        "introspected": [machine.id, machine.id],
        "before": true,
        "after": { "active": false },
        "wrong_secret": "invalid_client",
        "revoked_token": "invalid_grant",
    });
    assert_eq!(told, expected);
}

fn script(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/api/oauth").join(name)
}

// promises H1, H2, H3, H5
async fn authlib_does_all_of_it(backend: Backend) {
    let mut python = Command::new(Path::new(ROOT).join("target/tools/python/bin/python"));
    python.arg(script("authlib_client.py"));
    walks(backend, python).await;
}

// promises H1, H2, H3, H5
async fn openid_client_does_all_of_it(backend: Backend) {
    let mut node = Command::new("node");
    node.arg(script("openid_client.mjs")).arg(Path::new(ROOT).join("target/tools/oauth"));
    walks(backend, node).await;
}

on_each_backend!(authlib_does_all_of_it, openid_client_does_all_of_it);
