//! The real binary in a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::client::Client;
use crate::support::process;

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running binary; killed when dropped.
pub struct Program {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
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
        let mut child = command(folder, variables).spawn().expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let addresses = tokio::time::timeout(PATIENCE, addresses(&mut log)).await.expect("the binary serves in time");
        let (grpc, http) = addresses.expect("the binary tells where it serves");
        Self { child, log, grpc, http }
    }

    /// Runs the binary where it should not serve.
    pub async fn run(folder: &Path, variables: &[(&str, &str)]) -> Ended {
        let running = command(folder, variables).output();
        let output = tokio::time::timeout(PATIENCE, running).await.expect("the binary ends").expect("the binary runs");
        let text = [output.stdout, output.stderr].concat();
        Ended { code: output.status.code(), output: String::from_utf8_lossy(&text).into_owned() }
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
        let mut rest = String::new();
        let reading = self.log.get_mut().read_to_string(&mut rest);
        tokio::time::timeout(PATIENCE, reading).await.expect("the binary ends").expect("its log is text");
        (self.child.wait().await.expect("a child of ours"), rest)
    }
}

fn command(folder: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
    command.env_clear().env("KEYSTEAD_DATA_DIRECTORY", folder).env("KEYSTEAD_LOG_FORMAT", "json");
    command.env("KEYSTEAD_GRPC_LISTEN", "127.0.0.1:0").env("KEYSTEAD_HTTP_LISTEN", "127.0.0.1:0");
    command.envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
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
