//! A throw-away Redis server, without persistence: one for each test that needs one, since it starts in no time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::guard::Guard;
use super::packages;
use super::process::{self, PORT_ATTEMPTS};

pub struct RedisServer {
    program: PathBuf,
    port: u16,
    is_cluster: bool,
    process: Option<Child>,
    guard: Guard,
}

impl RedisServer {
    /// Starts an empty server on a free port.
    pub fn start() -> Self {
        Self::start_as(false)
    }

    /// Starts a cluster of one node, which serves every slot.
    pub fn start_cluster() -> Self {
        let server = Self::start_as(true);
        assert_eq!(server.command("CLUSTER ADDSLOTSRANGE 0 16383"), "+OK");
        for _ in 0..process::POLLS {
            if server.command("GET a") == "$-1" {
                return server;
            }
            std::thread::sleep(process::POLL);
        }
        panic!("the cluster does not come up: {}", server.log());
    }

    fn start_as(is_cluster: bool) -> Self {
        let (program, guard) = (packages::redis_server(), Guard::new());
        let mut server = Self { program, port: 0, is_cluster, process: None, guard };
        for _ in 0..PORT_ATTEMPTS {
            server.port = process::free_port();
            if server.launch() {
                return server;
            }
        }
        panic!("Redis does not start: {}", server.log());
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Has the server do something; the first line of its answer (RESP2).
    pub fn command(&self, line: &str) -> String {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).expect("Redis accepts connections");
        connection.write_all(format!("{line}\r\n").as_bytes()).expect("a written command");
        let mut answer = String::new();
        BufReader::new(connection).read_line(&mut answer).expect("an answer");
        answer.trim_end().to_owned()
    }

    /// Freezes the server: it accepts, and never answers.
    pub fn pause(&self) {
        process::signal(self.pid(), "STOP");
    }

    /// Thaws a paused server.
    pub fn resume(&self) {
        process::signal(self.pid(), "CONT");
    }

    /// Kills the server and with it everything that it knew.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.kill().expect("a child of ours");
        process.wait().expect("a child of ours");
        self.guard.stopped();
    }

    /// Starts a killed server again: on the same port, empty.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server runs already");
        let started = (0..PORT_ATTEMPTS).any(|_| self.launch());
        assert!(started, "Redis does not start again: {}", self.log());
    }

    /// Kills the server and starts it again: on the same port, empty.
    pub fn restart(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Starts the server on its port; `false` if it ends before it is ready, as when the port is taken.
    fn launch(&mut self) -> bool {
        std::fs::write(self.log_path(), "").expect("a log file");
        let mut process = Command::new(&self.program)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--cluster-enabled", if self.is_cluster { "yes" } else { "no" }])
            .args(["--daemonize", "no", "--loglevel", "notice", "--logfile"])
            .arg(self.log_path())
            .arg("--dir")
            .arg(self.guard.folder())
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        self.guard.started(process.id(), "KILL");
        let ready = process::becomes_ready(&mut process, || self.log().contains("Ready to accept connections"));
        if ready {
            self.process = Some(process);
        } else {
            self.guard.stopped();
        }
        ready
    }

    fn pid(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id()
    }

    fn log_path(&self) -> PathBuf {
        self.guard.folder().join("redis.log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}
