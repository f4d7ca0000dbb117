//! A throw-away Prometheus that scrapes one target, on a free port of the loopback.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use super::guard::Guard;
use super::packages;
use super::process::{self, PORT_ATTEMPTS};

/// A running Prometheus; it ends when dropped.
pub struct Prometheus {
    pub port: u16,
    _process: Child,
    _guard: Guard,
}

impl Prometheus {
    /// Scrapes the target every second, as the job `keystead`, and follows the rules of the repository.
    pub fn scraping(target: SocketAddr) -> Self {
        let [program, _] = packages::prometheus();
        let mut guard = Guard::new();
        let (file, log, data) =
            (guard.folder().join("prometheus.yaml"), guard.folder().join("log"), guard.folder().join("data"));
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/k8s/monitoring/alerts.yaml");
        let configuration = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: ['{rules}']\n\
             scrape_configs: [{{job_name: keystead, static_configs: [{{targets: ['{target}']}}]}}]\n"
        );
        std::fs::write(&file, configuration).expect("a configuration");
        for _ in 0..PORT_ATTEMPTS {
            let port = process::free_port();
            let output = || Stdio::from(std::fs::File::create(&log).expect("a log"));
            let mut command = Command::new(&program);
            command.arg(format!("--config.file={}", file.display()));
            command.arg(format!("--storage.tsdb.path={}", data.display()));
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command.current_dir("/").process_group(0).stdin(Stdio::null()).stdout(output()).stderr(output());
            let mut process = command.spawn().expect("Prometheus starts");
            guard.started(process.id(), "TERM");
            if process::becomes_ready(&mut process, || TcpStream::connect(("127.0.0.1", port)).is_ok()) {
                return Self { port, _process: process, _guard: guard };
            }
            guard.stopped();
        }
        panic!("Prometheus does not start: {}", std::fs::read_to_string(&log).unwrap_or_default());
    }
}

/// What `promtool check metrics` says of a page: nothing where it is well.
pub fn check_metrics(page: &str) -> String {
    use std::io::Write as _;
    let [_, promtool] = packages::prometheus();
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("promtool starts");
    process.stdin.take().expect("its input").write_all(page.as_bytes()).expect("the page is read");
    let output = process.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    format!("{}{}", String::from_utf8_lossy(&said), if output.status.success() { "" } else { "it fails" })
}
