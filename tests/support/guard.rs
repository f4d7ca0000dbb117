//! A watchdog outside the test process, so that nothing is left behind even by `kill -9`.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Reads what is to be cleaned up from its standard input, and does it at the end of the input: that is when the test
/// process drops the guard, or dies. Paused servers are woken, or they could not heed their signal.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
pid=
while read -r verb rest; do
    case $verb in
        started) pid=${rest% *} signal=${rest#* } ;;
        stopped) pid= ;;
    esac
done
if [ -n "$pid" ]; then
    kill -s "$signal" "$pid"
    kill -s CONT "$pid" $(cat "/proc/$pid/task/$pid/children")
    for _ in $(seq 100); do
        # A process that nobody has waited for yet counts as gone.
        case $(cut -d ')' -f 2 "/proc/$pid/stat") in '' | ' Z'*) break ;; esac
        sleep 0.1
    done
    kill -s KILL "$pid"
fi
rm -rf -- "$1"
"#;

/// A temporary folder and the server that runs in it; dropping it ends both.
pub struct Guard {
    folder: PathBuf,
    watchdog: Child,
}

impl Guard {
    /// Makes a folder that nobody else may enter, and watches it.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("keystead-test-").tempdir().expect("a temporary folder").keep();
        let watchdog = Command::new("sh")
            .args(["-c", SCRIPT, "keystead-test-guard"])
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What is sent to the group of the tests must not end their watchdog.
            .process_group(0)
            .spawn()
            .expect("sh starts");
        Self { folder, watchdog }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// From now on the process is ended by the signal (`INT`, `QUIT` …) when the guard goes; it replaces an earlier one.
    pub fn started(&mut self, pid: u32, signal: &str) {
        self.tell(&format!("started {pid} {signal}"));
    }

    /// The process has ended and been waited for: its id may name another one soon.
    pub fn stopped(&mut self) {
        self.tell("stopped");
    }

    fn tell(&mut self, line: &str) {
        let pipe = self.watchdog.stdin.as_mut().expect("the pipe is open until the guard is dropped");
        writeln!(pipe, "{line}").expect("the watchdog listens");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().expect("the watchdog ends");
    }
}
