//! A process that runs out of descriptors, as the real binary under a lowered limit.

use std::process::Command;

use keystead::grpc::pb::TokenStatus;
use tokio::net::TcpStream;

use crate::harness::{Person, Program, until};

/// How many descriptors the binary may open beyond those that it has.
const SPARE: usize = 20;

fn opened(program: &Program) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", program.pid())).expect("the binary runs").count()
}

fn limit(program: &Program, descriptors: usize) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args(["--pid", &program.pid().to_string(), &format!("--nofile={descriptors}:{descriptors}")]);
    assert!(prlimit.status().expect("prlimit of util-linux").success());
}

// promise N5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_out_of_descriptors_ends_nothing_for_good() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Program::start(folder.path(), &[]).await;
    let client = program.client().await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    let most = opened(&program) + SPARE;
    limit(&program, most);
    let mut hoard = Vec::new();
    for _ in 0..3 * SPARE {
        hoard.push(TcpStream::connect(program.grpc).await.expect("the kernel's queue takes it"));
    }
    until("the descriptors to run out", || async { opened(&program) >= most }).await;
    assert_eq!(client.status_of(&token).await, TokenStatus::Active, "who is connected is served");
    drop(hoard);
    let newcomer = program.client().await;
    assert_eq!(newcomer.status_of(&token).await, TokenStatus::Active, "and so is who comes after");
    Person::new("bob").register(&newcomer).await;
}
