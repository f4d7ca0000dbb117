//! The Rust example: a service that verifies in its own process, built and run as its users build and run it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tonic::Code;

use super::greeter::Greeter;
use super::{ISSUER, verifier_account};
use crate::harness::{Backend, Keystead, Person, until};

/// Builds the example; where the whole workspace is tested, it has been built already.
async fn built() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_keystead"));
    let target = binary.ancestors().nth(2).expect("cargo's folder");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--locked", "--workspace", "--example", "protected", "--target-dir"]).arg(target);
    build.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).kill_on_drop(true);
    assert!(build.status().await.expect("cargo").success(), "the example can be built");
    target.join("debug/examples/protected")
}

async fn start(keystead: &Keystead) -> Greeter {
    let mut command = Command::new(built().await);
    let (_, id, secret) = verifier_account(keystead, &keystead.client().await).await;
    command.env("GREETER_ID", id).env("GREETER_SECRET", secret).env("GREETER_LISTEN", "127.0.0.1:0");
    command.env("GREETER_KEYSTEAD", format!("http://{}", keystead.replica(0).grpc)).env("GREETER_ISSUER", ISSUER);
    Greeter::launch(&mut command).await
}

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_rust_greets_whoever_has_a_good_token_and_nobody_else() {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let greeter = start(&keystead).await;
    greeter.greets_by_the_token_alone(&keystead.client().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_rust_greets_until_its_feed_is_stale_while_the_service_is_away_and_blames_nobody() {
    let mut keystead = Keystead::start(Backend::Sqlite).await;
    let client = keystead.client().await;
    let bearer = format!("Bearer {}", Person::new("ada").register(&client).await.set.access_token);
    let greeter = start(&keystead).await;
    // Comes back on another port: for the example it stays away.
    keystead.restart().await;
    greeter.greet(&[&bearer]).await.expect("known to be good");
    until("the feed to be stale", || async { greeter.greet(&[&bearer]).await.is_err() }).await;
    let answered = greeter.greet(&[&bearer]).await.expect_err("nobody can know");
    assert_eq!(answered.code(), Code::Unavailable);
}
