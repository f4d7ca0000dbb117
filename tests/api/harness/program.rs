//! The real binary in a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;

use super::client::Client;
use crate::support::process;

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running binary; killed when dropped.
pub struct Program {
    child: Child,
    /// Reads on: a binary whose log nobody reads stands still once the pipe is full.
    log: JoinHandle<String>,
    pub grpc: SocketAddr,
    pub http: SocketAddr,
}

/// How a binary ended that did not serve.
pub struct Ended {
    pub code: Option<i32>,
    pub output: String,
}

impl Program {
    /// Starts the binary on free ports with its data in the folder, and waits until it serves.
    pub async fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        Self::launch(&mut Self::command(folder, variables)).await
    }

    /// Starts the binary by a command that logs JSON, and waits until it serves.
    pub async fn launch(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let addresses = tokio::time::timeout(PATIENCE, addresses(&mut log)).await.expect("the binary serves in time");
        let (grpc, http) = addresses.expect("the binary tells where it serves");
        Self { child, log: tokio::spawn(read(log)), grpc, http }
    }

    /// Runs the binary where it should not serve.
    pub async fn run(folder: &Path, variables: &[(&str, &str)]) -> Ended {
        Self::finish(&mut Self::command(folder, variables)).await
    }

    /// Runs the binary by a command that should not serve.
    pub async fn finish(command: &mut Command) -> Ended {
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.expect("the binary ends").expect("the binary runs");
        let text = [output.stdout, output.stderr].concat();
        Ended { code: output.status.code(), output: String::from_utf8_lossy(&text).into_owned() }
    }

    /// The binary with nothing set but the folder, free ports and the variables; logs JSON.
    pub fn command(folder: &Path, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command.env_clear().env("KEYSTEAD_DATA_DIRECTORY", folder).env("KEYSTEAD_LOG_FORMAT", "json");
        command.env("KEYSTEAD_GRPC_LISTEN", "127.0.0.1:0").env("KEYSTEAD_HTTP_LISTEN", "127.0.0.1:0");
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.grpc).await
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("the binary runs")
    }

    /// Resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the binary runs");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its highest memory");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    pub fn signal(&self, name: &str) {
        process::signal(self.pid(), name);
    }

    /// Waits for the end; how it ended, and what was logged since the start.
    pub async fn end(mut self) -> (ExitStatus, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the binary ends");
        (status.expect("a child of ours"), self.log.await.expect("its log is read"))
    }
}

async fn read(log: Lines<BufReader<ChildStderr>>) -> String {
    let mut rest = String::new();
    log.into_inner().read_to_string(&mut rest).await.expect("its log is text");
    rest
}

async fn addresses(log: &mut Lines<BufReader<ChildStderr>>) -> Option<(SocketAddr, SocketAddr)> {
    while let Some(line) = log.next_line().await.expect("its log is text") {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(&line) else { panic!("no JSON: {line}") };
        let field = |name: &str| event.get(name).or_else(|| event.get("fields")?.get(name))?.as_str()?.parse().ok();
        if let (Some(grpc), Some(http)) = (field("grpc"), field("http")) {
            return Some((grpc, http));
        }
    }
    None
}
