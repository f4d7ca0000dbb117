//! Finds the servers' programs, and installs the Debian packages where they are missing.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian keeps PostgreSQL, a folder for each major version.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// The folder that holds PostgreSQL's programs.
pub fn postgres_programs() -> PathBuf {
    found_or_installed(find_postgres, "postgresql")
}

/// The program `redis-server`.
pub fn redis_server() -> PathBuf {
    found_or_installed(|| on_path("redis-server"), "redis-server")
}

/// The program `nginx`, with its module `auth_request`.
pub fn nginx() -> PathBuf {
    found_or_installed(
        || on_path("nginx").or_else(|| Some("/usr/sbin/nginx".into()).filter(|path: &PathBuf| path.is_file())),
        "nginx-light",
    )
}

/// The program `caddy`.
pub fn caddy() -> PathBuf {
    found_or_installed(|| on_path("caddy"), "caddy")
}

/// The browser `chromium`.
pub fn chromium() -> PathBuf {
    found_or_installed(|| on_path("chromium"), "chromium")
}

/// The load generator `h2load`.
pub fn h2load() -> PathBuf {
    found_or_installed(|| on_path("h2load"), "nghttp2-client")
}

/// The programs `prometheus` and `promtool`.
pub fn prometheus() -> [PathBuf; 2] {
    ["prometheus", "promtool"].map(|program| found_or_installed(|| on_path(program), "prometheus"))
}

/// SQLite's own shell, `sqlite3`.
pub fn sqlite3() -> PathBuf {
    found_or_installed(|| on_path("sqlite3"), "sqlite3")
}

/// The authenticator `oathtool`.
pub fn oathtool() -> PathBuf {
    found_or_installed(|| on_path("oathtool"), "oathtool")
}

/// Runs a program as somebody who is not root, for PostgreSQL refuses to run as root; hands them the folder.
pub fn unprivileged(program: &Path, folder: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let user = ["postgres", "nobody"].into_iter().find(|user| says("id", &["-u", user]).is_some());
    let user = user.expect("a user `postgres` or `nobody` to run PostgreSQL as");
    let group = says("id", &["-g", user]).expect("the user's group");
    let owner = format!("{user}:{group}");
    let status = Command::new("chown").arg(&owner).arg(folder).status().expect("chown starts");
    assert!(status.success(), "the folder cannot be given to {owner}");
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "--"]).arg(program);
    command
}

fn find_postgres() -> Option<PathBuf> {
    let on_path = on_path("postgres").and_then(|program| program.canonicalize().ok()?.parent().map(Path::to_owned));
    let versions = std::fs::read_dir(POSTGRES_VERSIONS).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versions: Vec<PathBuf> = versions.collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let installed = versions.into_iter().rev().map(|version| version.join("bin"));
    on_path
        .into_iter()
        .chain(installed)
        .find(|folder| ["postgres", "initdb", "createdb"].iter().all(|program| folder.join(program).is_file()))
}

fn found_or_installed(find: impl Fn() -> Option<PathBuf>, package: &str) -> PathBuf {
    find().unwrap_or_else(|| {
        // One test process installs, the others wait for it and then find.
        let lock = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("a file to lock");
        lock.lock().expect("the lock");
        find().unwrap_or_else(|| {
            install(package);
            find().unwrap_or_else(|| panic!("the Debian package {package} is installed, its programs are not there"))
        })
    })
}

fn install(package: &str) {
    let script = include_str!("install.sh");
    let mut command = if is_root() { Command::new("sh") } else { Command::new("sudo") };
    if !is_root() {
        command.args(["-n", "sh"]);
    }
    let output = command.args(["-c", script, "install.sh", package]).output();
    let told = match &output {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!("these tests need the Debian package {package}, which cannot be installed: {told}");
}

fn is_root() -> bool {
    says("id", &["-u"]).as_deref() == Some("0")
}

fn on_path(program: &str) -> Option<PathBuf> {
    says("sh", &["-c", r#"command -v "$1""#, "sh", program]).map(PathBuf::from)
}

/// What a program says if it succeeds.
fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
