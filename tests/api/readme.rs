//! The walks of the README, and of the pages on administration, OAuth's endpoints and the second factor, typed as a newcomer
//! types them, against the real binary; each answer as it is shown.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::harness::{Program, until};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Where the README says that gRPC is served.
const GRPC: &str = "127.0.0.1:50051";
/// Where the pages say that HTTP is served.
const HTTP: &str = "127.0.0.1:8080";
/// Stands in the README for what differs from run to run.
const ELLIPSIS: char = '…';

/// A command of the README, and the answer that it shows.
struct Step {
    command: String,
    answer: Vec<String>,
}

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(name)).expect("the page")
}

/// The commands of the console blocks, in their order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_console = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_console = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| in_console) {
            steps.push(Step { command: command.to_owned(), answer: Vec::new() });
        } else if let Some(step) = steps.last_mut().filter(|_| in_console) {
            step.answer.push(line.trim_end().to_owned());
        }
    }
    steps
}

/// Whether a line is as shown, where an ellipsis stands for anything.
fn matches(shown: &str, line: &str) -> bool {
    match shown.split_once(ELLIPSIS) {
        None => shown == line,
        Some((before, after)) => {
            line.len() >= before.len() + after.len() && line.starts_with(before) && line.ends_with(after)
        }
    }
}

/// A shell in the folder that finds grpcurl, and the binary.
fn shell(folder: &Path, command: &str) -> Command {
    let tools = PathBuf::from(ROOT).join("target/tools/python/bin");
    #[expect(clippy::disallowed_methods, reason = "the shell of the walk needs the machine's own programs too")]
    let path = std::env::var("PATH").expect("a PATH");
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", command]).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let binary = Path::new(env!("CARGO_BIN_EXE_keystead")).parent().expect("a folder");
    shell.env("PATH", format!("{}:{}:{path}", tools.display(), binary.display()));
    shell
}

async fn install_tools() {
    let mut tools = Command::new("bash");
    tools.args(["scripts/tools", "walk"]).current_dir(ROOT).stdin(Stdio::null());
    let status = tools.status().await.expect("bash");
    assert!(status.success(), "grpcurl, curl and jq can be found or installed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_readme_answers_as_shown() {
    walk("README.md").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_page_on_administration_answers_as_shown() {
    walk("docs/administration.md").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_page_on_oauth_answers_as_shown() {
    walk("docs/oauth.md").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_page_on_the_second_factor_answers_as_shown() {
    crate::support::packages::oathtool();
    walk("docs/second-factor.md").await;
}

async fn walk(name: &str) {
    install_tools().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let program = Program::start(&folder.join("keystead-data"), &[]).await;
    let steps = steps(&page(name));
    assert!(steps.len() >= 10, "the walk has been found");
    for Step { command, answer } in steps {
        if command.contains("/outbox/") {
            // The mail takes a moment, as the page says.
            let token = ["kspr_", "ksev_"].into_iter().find(|token| command.contains(token)).expect("a token");
            until("the mail", || async {
                let mut seen = shell(folder, &format!("grep -q {token} keystead-data/outbox/*.eml"));
                seen.stderr(Stdio::null()).status().await.expect("bash").success()
            })
            .await;
        }
        let as_typed = command.replace(GRPC, &program.grpc.to_string()).replace(HTTP, &program.http.to_string());
        let output = shell(folder, &as_typed).output().await.expect("bash");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "$ {command}\n{told}");
        let text = String::from_utf8(output.stdout).expect("text");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let as_shown =
            answer.len() == lines.len() && answer.iter().zip(&lines).all(|(shown, line)| matches(shown, line));
        assert!(as_shown, "$ {command}\nshown: {answer:#?}\ngot: {lines:#?}");
    }
}

#[test]
fn the_readme_is_short() {
    let lines = page("README.md").lines().count();
    assert!(lines <= 120, "{lines} lines; 120 is the limit");
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    assert!(matches("\"id\": \"…\",", "\"id\": \"1\","));
    assert!(!matches("\"id\": \"…\",", "\"id\": 1,"));
    assert!(matches("eyJ…", "eyJhbGciOi"));
    assert!(!matches("{}", "{ }"));
}
