//! The same with a library that nobody here wrote, with its own idea of what may be sent again: gRPC's core, in Python.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Stdio;

use super::{Fleet, ends_well};
use crate::client::python::Scene;
use crate::harness::{Program, http_get, until};
use crate::support::process::free_port;

const SCRIPT: &str = "tests/api/rolling_update/load.py";

/// How many calls of Refresh this replica has answered well.
async fn refreshed(http: SocketAddr) -> u64 {
    let page = http_get(http, "/metrics", &[]).await.body;
    let sample = "keystead_grpc_requests_total{method=\"keystead.v1.AuthService/Refresh\",code=\"OK\"} ";
    page.lines().find_map(|line| line.strip_prefix(sample)?.parse().ok()).unwrap_or_default()
}

async fn answers(replica: &Program) {
    let before = refreshed(replica.http).await;
    until("the replica answers", || async { refreshed(replica.http).await > before }).await;
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_of_every_replica_costs_clients_of_grpc_core_no_session() {
    let (scene, fleet) = tokio::join!(Scene::new(), Fleet::new());
    let addresses = [(); 4].map(|()| format!("127.0.0.1:{}", free_port()));
    let known: Vec<_> = addresses.iter().map(String::as_str).collect();
    let old = [fleet.start(known[0]).await, fleet.start(known[1]).await];
    let mut load = scene.script(SCRIPT, &known);
    load.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut load = load.spawn().expect("python");
    let mut new = Vec::new();
    for (leaving, address) in old.into_iter().zip(&known[2..]) {
        answers(&leaving).await;
        let newcomer = fleet.start(address).await;
        answers(&newcomer).await;
        ends_well(leaving).await;
        new.push(newcomer);
    }
    for replica in &new {
        answers(replica).await;
    }
    drop(load.stdin.take());
    let output = load.wait_with_output().await.expect("an end");
    let told = String::from_utf8(output.stdout).expect("text");
    let codes: BTreeSet<_> = told.lines().map(|line| line.split_once(' ').expect("a code and its count").0).collect();
    let failed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(codes, BTreeSet::from(["OK", "TOKEN_STATUS_ACTIVE"]), "{told}\n{failed}");
    for replica in new {
        ends_well(replica).await;
    }
}
