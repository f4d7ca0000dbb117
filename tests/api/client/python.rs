//! The Python example: a service that asks about each token, over stubs of the same contract, made and run as it says.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tonic::Code;

use super::greeter::Greeter;
use crate::harness::{Backend, Keystead, Person};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Where the example is, and what it calls its folder.
const EXAMPLE: &str = "client/examples/python";

/// The example and the contract in a folder of the test's, laid out as in the repository.
pub struct Scene {
    folder: TempDir,
    /// How to run the example, as it says.
    run: String,
}

/// The commands that the example says to give beside it: to install what it needs, to make the stubs, to run it.
fn commands() -> [String; 3] {
    let text = std::fs::read_to_string(Path::new(ROOT).join(EXAMPLE).join("protected.py")).expect("the example");
    let (_, said) = text.split_once("Beside this file").expect("what is to be done");
    let lines = said.lines().skip_while(|line| !line.starts_with("    ")).take_while(|line| !line.is_empty());
    let block = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let commands: Vec<_> = block.lines().map(|line| line.trim().to_owned()).collect();
    commands.try_into().expect("three commands")
}

impl Scene {
    pub async fn new() -> Self {
        let [install, generate, run] = commands();
        // The tests have a version of their own, in a folder of their own.
        assert_eq!(install, "python3 -m pip install grpcio-tools");
        let mut tools = Command::new("bash");
        let status = tools.args(["scripts/tools", "examples"]).current_dir(ROOT).stdin(Stdio::null()).status().await;
        assert!(status.expect("bash").success(), "grpcio-tools can be found or installed");
        let scene = Self { folder: tempfile::tempdir().expect("a temporary folder"), run };
        let root = Path::new(ROOT);
        std::fs::create_dir_all(scene.beside()).expect("a folder");
        for shared in ["proto", "client/examples/proto", &format!("{EXAMPLE}/protected.py")] {
            symlink(root.join(shared), scene.folder.path().join(shared)).expect("a link");
        }
        assert!(scene.shell(&generate).status().await.expect("bash").success(), "stubs of the contract");
        scene
    }

    fn beside(&self) -> PathBuf {
        self.folder.path().join(EXAMPLE)
    }

    /// A shell beside the example, with the Python of the tools.
    fn shell(&self, command: &str) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the shell needs the machine's own programs too")]
        let path = std::env::var("PATH").expect("a PATH");
        let tools = Path::new(ROOT).join("target/tools/python/bin");
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", command]).current_dir(self.beside()).stdin(Stdio::null());
        shell.env("PATH", format!("{}:{path}", tools.display())).kill_on_drop(true);
        shell
    }

    /// One of the tests' own scripts, with the stubs and the example at hand.
    pub fn script(&self, path: &str, arguments: &[&str]) -> Command {
        let script = Path::new(ROOT).join(path);
        let run = "PYTHONPATH=gen:. PYTHONDONTWRITEBYTECODE=1 exec python3";
        self.shell(&format!("{run} {} {}", script.display(), arguments.join(" ")))
    }

    async fn start(&self, keystead: &Keystead) -> Greeter {
        // In the shell's place, so that it ends with the test.
        let run = format!("exec env {} --listen 127.0.0.1:0 --keystead {}", self.run, keystead.replica(0).grpc);
        Greeter::launch(&mut self.shell(&run)).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_greets_whoever_has_a_good_token_and_nobody_else() {
    let scene = Scene::new().await;
    let keystead = Keystead::start(Backend::Sqlite).await;
    let greeter = scene.start(&keystead).await;
    greeter.greets_by_the_token_alone(&keystead.client().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_blames_nobody_while_the_service_is_away() {
    let scene = Scene::new().await;
    let mut keystead = Keystead::start(Backend::Sqlite).await;
    let client = keystead.client().await;
    let bearer = format!("Bearer {}", Person::new("ada").register(&client).await.set.access_token);
    let greeter = scene.start(&keystead).await;
    keystead.restart().await;
    let answered = tokio::time::timeout(Duration::from_secs(10), greeter.greet(&[&bearer])).await;
    assert_eq!(answered.expect("an answer in time").expect_err("no verdict").code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_python_serves_no_stream_since_it_verifies_no_caller_of_one() {
    let scene = Scene::new().await;
    let mut streams = scene.script("tests/api/client/streams.py", &[]);
    let output = streams.output().await.expect("python");
    let told = String::from_utf8(output.stdout).expect("text");
    let codes: Vec<_> = told.lines().map(|line| line.split_once(' ').expect("a kind and its code")).collect();
    let refused = ["unary_stream", "stream_unary", "stream_stream"].map(|kind| (kind, "UNIMPLEMENTED"));
    assert_eq!(codes, [&[("unary_unary", "UNAUTHENTICATED")][..], &refused].concat());
}
