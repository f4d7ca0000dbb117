//! The real binary in a process of its own.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::client::Client;
use super::settings::Values;
use super::wait::{PATIENCE, eventually};
use crate::support::process;

/// A running binary; killed when dropped.
pub struct Program {
    child: Child,
    /// Everything written so far; read all the time, or a talkative program would wait for its reader.
    output: Arc<Mutex<Vec<u8>>>,
    readers: [JoinHandle<()>; 2],
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
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let output = Arc::<Mutex<Vec<u8>>>::default();
        let log = collect(child.stderr.take().expect("a pipe"), &output);
        let banner = collect(child.stdout.take().expect("a pipe"), &output);
        let told = eventually("the addresses that the binary serves on", || {
            let ended = child.try_wait().expect("a child of ours");
            let told = addresses(&text(&output)).map(Ok).or(ended.map(Err));
            async move { told }
        });
        let told = told.await;
        let (grpc, http) = told.unwrap_or_else(|ended| panic!("{ended} instead of serving: {}", text(&output)));
        Self { child, output, readers: [log, banner], grpc, http }
    }

    /// The same with settings in a file of the folder.
    pub async fn configured(folder: &Path, values: &Values, variables: &[(&str, &str)]) -> Self {
        let file = folder.join("keystead.toml");
        std::fs::write(&file, values.toml()).expect("a written file");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a private file");
        let file = file.display().to_string();
        Self::start(folder, &[variables, &[("KEYSTEAD_CONFIG", &file)]].concat()).await
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

    /// The highest resident memory so far, in KiB.
    pub fn memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Resident memory now, in KiB.
    pub fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the binary runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of that name");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    /// Processor time that it has spent, in steps of 10 ms (`proc_pid_stat(5)`, fields 14 and 15, at Linux's 100 Hz).
    pub fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("the binary runs");
        let (_, after_name) = stat.rsplit_once(')').expect("a name in parentheses");
        let spent = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
        Duration::from_millis(spent.sum::<u64>() * 10)
    }

    /// How many of its threads have this niceness (`proc_pid_stat(5)`, field 19).
    pub fn threads_of_niceness(&self, niceness: i32) -> usize {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("the binary runs");
        let stats = threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
        let of = |stat: &str| stat.rsplit_once(')')?.1.split_whitespace().nth(16)?.parse::<i32>().ok();
        stats.filter(|stat| of(stat) == Some(niceness)).count()
    }

    pub fn signal(&self, name: &str) {
        process::signal(self.pid(), name);
    }

    /// Waits for the end; how it ended, and all that it has written.
    pub async fn end(mut self) -> (ExitStatus, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the binary ends");
        for reader in self.readers {
            reader.await.expect("a reader that reads to the end");
        }
        (status.expect("a child of ours"), text(&self.output))
    }
}

fn collect(mut pipe: impl AsyncRead + Unpin + Send + 'static, output: &Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    let output = Arc::clone(output);
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
            output.lock().expect("no poison").extend_from_slice(&buffer[..length]);
        }
    })
}

fn text(output: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&output.lock().expect("no poison")).into_owned()
}

fn addresses(log: &str) -> Option<(SocketAddr, SocketAddr)> {
    let events = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let find = |event: &serde_json::Value| {
        let field = |name: &str| event.get("fields")?.get(name)?.as_str()?.parse().ok();
        Some((field("grpc")?, field("http")?))
    };
    events.into_iter().find_map(|event| find(&event))
}
