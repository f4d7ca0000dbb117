//! A handshake of TLS that nobody answers, as a load balancer offers it whose servers have gone.

use std::net::Ipv4Addr;
use std::time::Duration;

use keystead_client::KeysteadClient;
use tokio::net::TcpListener;
use tonic::transport::Endpoint;

use super::{ISSUER, prepared_by};
use crate::harness::Link;
use crate::tls::{Pki, connect};

/// A stalled handshake, a pause, and one that is answered; a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handshake_that_nobody_answers_is_given_up_and_the_feed_heals() {
    let pki = Pki::new();
    let keystead = pki.setup().start().await;
    let address = keystead.replica(0).grpc;
    let client = connect(address, pki.trust()).await.expect("a connection");
    let (_, credentials) = prepared_by(&keystead, &client).await;
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let link = Link::to(silent.local_addr().expect("the port's number")).await;
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", link.address().port())).expect("an address");
    let endpoint = endpoint.tls_config(pki.trust()).expect("TLS");
    let verifier = KeysteadClient::builder(endpoint, ISSUER, "keystead", credentials).start();
    // Taken, and kept open in silence to the end.
    let _taken = silent.accept().await.expect("a connection");
    link.lead_to(address);
    tokio::time::timeout(PATIENCE, verifier.ready()).await.expect("the client connects anew");
    assert!(verifier.staleness().is_some());
}
