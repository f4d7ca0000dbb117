//! `keystead healthcheck`: what an image asks of the service beside it, by the real binary.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::harness::Program;
use crate::tls::Pki;

/// How the check ends that is told the settings of the service on that port, and what it says.
async fn check(folder: &TempDir, http: SocketAddr, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let http = http.to_string();
    let mut command =
        Program::command(folder.path(), &[variables, &[("KEYSTEAD_HTTP_LISTEN", http.as_str())]].concat());
    let ended = Program::finish(command.arg("healthcheck")).await;
    (ended.code, ended.output)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_well_from_its_start_to_its_end_and_the_check_says_nothing_of_it() {
    let folder = TempDir::new().expect("a folder");
    let program = Program::start(folder.path(), &[]).await;
    let http = program.http;
    assert_eq!(check(&folder, http, &[]).await, (Some(0), String::new()));
    program.signal("TERM");
    program.end().await;
    let (code, output) = check(&folder, http, &[]).await;
    assert_eq!(code, Some(1));
    assert!(output.contains(&format!("nothing listens on {http}")), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_asks_for_certificates_is_well_without_one() {
    let folder = TempDir::new().expect("a folder");
    let pki = Pki::new();
    let files = ["tls.crt", "tls.key", "ca.crt"].map(|name| pki.path(name).display().to_string());
    let variables = [
        ("KEYSTEAD_GRPC_TLS_CERTIFICATE_FILE", files[0].as_str()),
        ("KEYSTEAD_GRPC_TLS_KEY_FILE", files[1].as_str()),
        ("KEYSTEAD_GRPC_TLS_CLIENT_CA_FILE", files[2].as_str()),
    ];
    let program = Program::start(folder.path(), &variables).await;
    assert_eq!(check(&folder, program.http, &variables).await, (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_cannot_be_told_from_others_or_is_set_wrongly_is_not_well() {
    let folder = TempDir::new().expect("a folder");
    let (code, output) = check(&folder, SocketAddr::from(([127, 0, 0, 1], 0)), &[]).await;
    assert_eq!(code, Some(1));
    assert!(output.contains("port 0"), "{output}");
    let (code, _) = check(&folder, SocketAddr::from(([127, 0, 0, 1], 1)), &[("KEYSTEAD_UNKNOWN", "x")]).await;
    assert_eq!(code, Some(64));
}
