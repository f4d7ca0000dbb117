//! A throw-away PostgreSQL cluster.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::guard::Guard;
use super::packages;
use super::process::{self, PORT_ATTEMPTS};
use super::small_disk::SmallDisk;

const SUPERUSER: &str = "keystead";

/// No socket: nothing to collide with.
const SETTINGS: &[&str] =
    &["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=1000", "log_line_prefix=%m [%p] %d "];

/// A killed server loses nothing by these, only a killed machine does.
const FORGETFUL: &[&str] = &["fsync=off", "full_page_writes=off"];

/// A server that logs how it carries every statement out, and passes over a table row by row only where it must.
const EXPLAINING: &[&str] =
    &["session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0", "enable_seqscan=off", "jit=off"];

/// So few that a test can take all of them; more than a replica has by default.
const SMALL: &[&str] = &["max_connections=20"];

/// Room for an empty cluster, its log of changes, and a little more.
const DISK_MIB: u32 = 128;

/// Keeps the log of changes at the two files that there are: they are full long after the tables.
const SHORT_LOG: &[&str] = &["min_wal_size=32MB", "max_wal_size=32MB"];

/// The URL of a new, empty database in the one cluster that the tests of this process share.
pub fn fresh_database() -> String {
    static SHARED: OnceLock<PostgresServer> = OnceLock::new();
    SHARED.get_or_init(PostgresServer::start).fresh_database()
}

/// A cluster of its own, for a test that stops it.
pub struct PostgresServer {
    programs: PathBuf,
    port: u16,
    settings: Vec<&'static str>,
    process: Option<Child>,
    databases: AtomicU32,
    guard: Guard,
    disk: Option<SmallDisk>,
}

impl PostgresServer {
    /// Makes an empty cluster and starts it on a free port.
    pub fn start() -> Self {
        Self::start_with(&[SETTINGS, FORGETFUL].concat())
    }

    /// One that writes as it does in production.
    pub fn start_durable() -> Self {
        Self::start_with(SETTINGS)
    }

    /// One that takes few connections.
    pub fn start_small() -> Self {
        Self::start_with(&[SETTINGS, FORGETFUL, SMALL].concat())
    }

    /// One that logs its plans.
    pub fn start_explaining() -> Self {
        Self::start_with(&[SETTINGS, FORGETFUL, EXPLAINING].concat())
    }

    /// One on a small disk of its own.
    pub fn start_on_small_disk() -> Self {
        let mut server = Self::new(&[SETTINGS, FORGETFUL, SHORT_LOG].concat());
        let folder = server.guard.folder().join("disk");
        std::fs::create_dir(&folder).expect("a folder");
        let unshare = packages::unprivileged(Path::new("unshare"), server.guard.folder());
        let disk = SmallDisk::mount(unshare, &folder, DISK_MIB);
        std::os::unix::fs::symlink(disk.path(), server.data()).expect("a link");
        server.disk = Some(disk);
        server.initialize();
        server.launched()
    }

    /// One that also speaks TLS, with this certificate and key (PEM).
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        Self::start_prepared(&[SETTINGS, FORGETFUL, &["ssl=on"]].concat(), |data| {
            let owner = std::fs::metadata(data).expect("a folder");
            for (name, text) in [("server.crt", certificate), ("server.key", key)] {
                let path = data.join(name);
                std::fs::write(&path, text).expect("a written file");
                std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
                chown(&path, Some(owner.uid()), Some(owner.gid())).expect("the server's own file");
            }
        })
    }

    fn start_with(settings: &[&'static str]) -> Self {
        Self::start_prepared(settings, |_| {})
    }

    /// `prepare` is handed the folder of the new cluster.
    fn start_prepared(settings: &[&'static str], prepare: impl FnOnce(&Path)) -> Self {
        let server = Self::new(settings);
        server.initialize();
        prepare(&server.data());
        server.launched()
    }

    fn new(settings: &[&'static str]) -> Self {
        let programs = packages::postgres_programs();
        let (guard, settings, databases) = (Guard::new(), settings.to_vec(), AtomicU32::new(0));
        Self { programs, port: 0, settings, process: None, databases, guard, disk: None }
    }

    fn launched(mut self) -> Self {
        for _ in 0..PORT_ATTEMPTS {
            self.port = process::free_port();
            if self.launch() {
                return self;
            }
        }
        panic!("PostgreSQL does not start: {}", self.log());
    }

    /// Creates an empty database; its URL names no TLS, which a server on the loopback has no use for.
    pub fn fresh_database(&self) -> String {
        let name = format!("keystead_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let port = self.port.to_string();
        let output = Command::new(self.programs.join("createdb"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", SUPERUSER, &name])
            .output()
            .expect("createdb starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        format!("postgres://{SUPERUSER}@127.0.0.1:{port}/{name}?sslmode=disable")
    }

    /// Freezes the server with all its connections: it accepts, and never answers.
    pub fn pause(&self) {
        process::signal(self.pid(), "STOP");
        for backend in process::children(self.pid()) {
            process::signal(backend, "STOP");
        }
    }

    /// Thaws a paused server.
    pub fn resume(&self) {
        for backend in process::children(self.pid()) {
            process::signal(backend, "CONT");
        }
        process::signal(self.pid(), "CONT");
    }

    /// Shuts the server down, which ends every connection; what was committed stays.
    pub fn stop(&mut self) {
        process::signal(self.pid(), "INT");
        let mut process = self.process.take().expect("the server runs");
        process.wait().expect("a child of ours");
        self.guard.stopped();
    }

    /// Kills the server with all its processes, as a power cut does: it starts again with what was committed.
    pub fn kill(&mut self) {
        // Frozen first, so that it starts no other process and waits for none of the killed ones.
        process::signal(self.pid(), "STOP");
        for backend in process::children(self.pid()) {
            process::signal(backend, "KILL");
        }
        let mut process = self.process.take().expect("the server runs");
        process.kill().expect("a child of ours");
        process.wait().expect("a child of ours");
        self.guard.stopped();
    }

    /// Starts a server that was stopped or killed again, on the same port with the same data.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the server runs already");
        let started = (0..PORT_ATTEMPTS).any(|_| self.launch());
        assert!(started, "PostgreSQL does not start again: {}", self.log());
    }

    fn initialize(&self) {
        let output = packages::unprivileged(&self.programs.join("initdb"), self.guard.folder())
            .args(["--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-U", SUPERUSER, "-D"])
            .arg(self.data())
            .current_dir("/")
            .output()
            .expect("initdb starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the server on its port; `false` if it ends before it is ready, as when the port is taken.
    fn launch(&mut self) -> bool {
        let log = std::fs::File::create(self.log_path()).expect("a log file");
        let mut command = packages::unprivileged(&self.programs.join("postgres"), self.guard.folder());
        command.args(["-p", &self.port.to_string(), "-D"]).arg(self.data());
        command.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        command.current_dir("/").process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut process = command.spawn().expect("postgres starts");
        self.guard.started(process.id(), "QUIT");
        let (status, pid) = (self.data().join("postmaster.pid"), process.id().to_string());
        let ready = process::becomes_ready(&mut process, || says_ready(&status, &pid));
        if ready {
            self.process = Some(process);
        } else {
            self.guard.stopped();
        }
        ready
    }

    /// The disk below it, where it has one of its own.
    pub fn disk(&mut self) -> &mut SmallDisk {
        self.disk.as_mut().expect("a disk of its own")
    }

    fn pid(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id()
    }

    fn data(&self) -> PathBuf {
        self.guard.folder().join("data")
    }

    fn log_path(&self) -> PathBuf {
        self.guard.folder().join("postgres.log")
    }

    /// What it has logged since it started.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }
}

/// The server tells its state in the eighth line of the file: asking its port could mean asking somebody else's. Whose
/// state it is the first line says: a killed server leaves its file behind.
fn says_ready(status: &Path, pid: &str) -> bool {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(pid) && lines.nth(6) == Some("ready")
}
