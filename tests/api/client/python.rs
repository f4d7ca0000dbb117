//! The Python example: a service that asks about each token, over stubs of the same contract.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use http::uri::PathAndQuery;
use keystead::grpc::pb::LogoutScope;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::harness::{Backend, Keystead, Person, until};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PROTOS: [&str; 6] = [
    "keystead/v1/access.proto",
    "keystead/v1/auth_service.proto",
    "keystead/v1/identity.proto",
    "keystead/v1/token.proto",
    "keystead/v1/user.proto",
    "greeter/v1/greeter.proto",
];

/// The running example; it is killed when it is dropped.
struct Greeter {
    _process: Child,
    channel: Channel,
}

fn python() -> Command {
    let mut python = Command::new(PathBuf::from(ROOT).join("target/tools/python/bin/python"));
    python.stdin(Stdio::null()).kill_on_drop(true);
    python
}

/// Generates the stubs as the example says.
async fn generate(folder: &Path) {
    let mut install = Command::new("bash");
    let status = install.args(["scripts/tools", "examples"]).current_dir(ROOT).stdin(Stdio::null()).status().await;
    assert!(status.expect("bash").success(), "grpcio-tools can be found or installed");
    let root = Path::new(ROOT);
    let mut protoc = python();
    protoc.args(["-m", "grpc_tools.protoc", "-I"]).arg(root.join("proto"));
    protoc.arg("-I").arg(root.join("client/examples/proto"));
    for output in ["--python_out", "--grpc_python_out"] {
        protoc.arg(format!("{output}={}", folder.display()));
    }
    assert!(protoc.args(PROTOS).status().await.expect("python").success(), "stubs of the contract");
}

impl Greeter {
    async fn start(keystead: &Keystead, stubs: &Path) -> Self {
        let mut command = python();
        command.arg(Path::new(ROOT).join("client/examples/python/protected.py")).env("PYTHONPATH", stubs);
        command.args(["--listen", "127.0.0.1:0", "--keystead", &keystead.replica(0).grpc.to_string()]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("python");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let line = lines.next_line().await.expect("text").expect("a line");
        let port = line.strip_prefix("listening on port ").expect("the port");
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).expect("an address");
        Self { _process: process, channel: endpoint.connect().await.expect("the example listens") }
    }

    /// Calls `Greet`: a message without fields, and one whose first field is a text.
    async fn greet(&self, authorization: &[&str]) -> Result<String, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.expect("a connection");
        let mut request = Request::new(());
        for value in authorization {
            request.metadata_mut().append("authorization", value.parse().expect("a header's value"));
        }
        let path = PathAndQuery::from_static("/greeter.v1.Greeter/Greet");
        grpc.unary(request, path, ProstCodec::<(), String>::default()).await.map(tonic::Response::into_inner)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_greets_whoever_has_a_good_token_and_nobody_else() {
    let stubs = tempfile::tempdir().expect("a temporary folder");
    generate(stubs.path()).await;
    let keystead = Keystead::start(Backend::Sqlite).await;
    let client = keystead.client().await;
    let registered = Person::new("ada").register(&client).await;
    let bearer = format!("Bearer {}", registered.set.access_token);
    let greeter = Greeter::start(&keystead, stubs.path()).await;
    assert_eq!(greeter.greet(&[&bearer]).await.expect("a greeting"), format!("Hello, {}", registered.user.id));
    for nobody in [&[][..], &["Bearer abc"], &[&bearer[..]; 2], &[&bearer["Bearer ".len()..]], &["Basic abc"]] {
        let refused = greeter.greet(nobody).await.expect_err("a refusal");
        assert_eq!(refused.code(), Code::Unauthenticated, "{nobody:?}");
        assert!(refused.metadata().contains_key("www-authenticate"), "{nobody:?}");
    }
    client.log_out(&registered.set.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    until("the verdict to be asked for again", || async { greeter.greet(&[&bearer]).await.is_err() }).await;
    assert_eq!(greeter.greet(&[&bearer]).await.expect_err("revoked").code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_blames_nobody_while_the_service_is_away() {
    let stubs = tempfile::tempdir().expect("a temporary folder");
    generate(stubs.path()).await;
    let mut keystead = Keystead::start(Backend::Sqlite).await;
    let client = keystead.client().await;
    let bearer = format!("Bearer {}", Person::new("ada").register(&client).await.set.access_token);
    let greeter = Greeter::start(&keystead, stubs.path()).await;
    keystead.restart().await;
    let answered = tokio::time::timeout(Duration::from_secs(10), greeter.greet(&[&bearer])).await;
    assert_eq!(answered.expect("an answer in time").expect_err("no verdict").code(), Code::Unavailable);
}
