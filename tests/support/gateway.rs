//! Gateways: real ones, each in a process of its own, on ports of the loopback.

use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::guard::Guard;
use super::packages;
use super::process::{self, PORT_ATTEMPTS};

/// Where the page on gateways says that they listen.
const PAGE_PORT: &str = "8000";

/// A running gateway; it ends when dropped.
pub struct Gateway {
    pub port: u16,
    _process: Child,
    _guard: Guard,
}

impl Gateway {
    /// nginx with these blocks of a server's configuration.
    pub fn nginx(configuration: &str) -> Self {
        Self::start(configuration, "nginx.conf", |file, folder, _| {
            let mut command = Command::new(packages::nginx());
            command.arg("-c").arg(file).arg("-p").arg(folder).args(["-e", "stderr", "-g", "daemon off;"]);
            command
        })
    }

    /// Envoy with this configuration.
    pub fn envoy(configuration: &str) -> Self {
        let program = tool("envoy");
        Self::start(configuration, "envoy.yaml", |file, _, _| {
            let mut command = Command::new(&program);
            // Without a base of its own it would speak to other Envoys of this machine.
            command.arg("--config-path").arg(file).args(["--use-dynamic-base-id", "--concurrency", "1"]);
            command
        })
    }

    /// Traefik with this configuration of its providers.
    pub fn traefik(configuration: &str, options: &[String]) -> Self {
        let program = tool("traefik");
        Self::start(configuration, "traefik.yaml", |file, _, port| {
            let mut command = Command::new(&program);
            command.arg(format!("--entrypoints.web.address=127.0.0.1:{port}"));
            command.arg(format!("--providers.file.filename={}", file.display()));
            command.args(options);
            command.args(["--global.checknewversion=false", "--global.sendanonymoususage=false"]);
            command
        })
    }

    /// Caddy with this Caddyfile.
    pub fn caddy(configuration: &str) -> Self {
        Self::start(configuration, "Caddyfile", |file, folder, _| {
            let mut command = Command::new(packages::caddy());
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
            command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
            command
        })
    }

    /// Starts on a free port, which takes the place of the page's; the command is told its file, its folder, the port.
    fn start(configuration: &str, name: &str, command: impl Fn(&Path, &Path, u16) -> Command) -> Self {
        let mut guard = Guard::new();
        let file = guard.folder().join(name);
        let log = guard.folder().join("log");
        for _ in 0..PORT_ATTEMPTS {
            let port = process::free_port();
            std::fs::write(&file, configuration.replace(PAGE_PORT, &port.to_string())).expect("a configuration");
            let output = || Stdio::from(std::fs::File::create(&log).expect("a log"));
            let mut command = command(&file, guard.folder(), port);
            command.current_dir("/").process_group(0).stdin(Stdio::null()).stdout(output()).stderr(output());
            let mut process = command.spawn().expect("the gateway starts");
            guard.started(process.id(), "TERM");
            if process::becomes_ready(&mut process, || TcpStream::connect(("127.0.0.1", port)).is_ok()) {
                return Self { port, _process: process, _guard: guard };
            }
            guard.stopped();
        }
        panic!("the gateway does not start: {}", std::fs::read_to_string(&log).unwrap_or_default());
    }
}

/// The program of a gateway that Debian does not have, put there by the script that puts the other tools.
fn tool(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new(root.join("scripts/tools")).arg(name).status().expect("the script starts");
    assert!(status.success(), "scripts/tools {name}");
    root.join("target/tools/python/bin").join(name)
}
