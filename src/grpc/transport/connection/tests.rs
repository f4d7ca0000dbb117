//! Connections that behave, that never begin, and that never end.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn as connector;

use super::*;
use crate::grpc::pb::GetJwksRequest;
use crate::grpc::pb::token_service_client::TokenServiceClient;
use crate::grpc::testing::{Behaviour, front};

const LIMITS: Limits = Limits { max_streams: 100, age: Duration::from_mins(30), end: Duration::from_hours(1) };

async fn start(behaviour: Behaviour, drain: &CancellationToken) -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = tokio::io::duplex(64 * 1024);
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let answerer = Answerer { front: front(behaviour).await, web: None };
    (client, tokio::spawn(serve(server, peer, answerer, LIMITS, drain.clone())))
}

async fn connect(stream: DuplexStream) -> TokenServiceClient<Channel> {
    let mut stream = Some(TokioIo::new(stream));
    let once = connector(move |_| std::future::ready(stream.take().ok_or_else(|| std::io::Error::other("only once"))));
    let channel = Endpoint::from_static("http://keystead").connect_with_connector(once).await.expect("a channel");
    TokenServiceClient::new(channel)
}

// promise N7
#[tokio::test]
async fn a_call_in_flight_finishes_when_the_server_drains() {
    let (drain, begun, go_on) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
    let behaviour = Behaviour::Wait { begun: begun.clone(), go_on: go_on.clone() };
    let (stream, server) = start(behaviour, &drain).await;
    let mut client = connect(stream).await;
    let call = tokio::spawn(async move { client.get_jwks(GetJwksRequest {}).await });
    begun.cancelled().await;
    drain.cancel();
    go_on.cancel();
    call.await.unwrap().expect("an answer");
    server.await.unwrap();
}

/// Asks, and leaves the server no room to answer.
async fn asks_and_takes_nothing(stream: DuplexStream) {
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (mut sender, connection) = builder.handshake::<_, Bytes>(stream).await.expect("a connection");
    tokio::spawn(connection);
    let request = Request::post("http://keystead/keystead.v1.TokenService/GetJwks");
    let request = request.header("content-type", "application/grpc").header("te", "trailers").body(()).expect("a call");
    let (answer, mut message) = sender.send_request(request, false).expect("an open connection");
    message.send_data(Bytes::from_static(&[0; 5]), true).expect("an open stream");
    let _never_read = answer.await.expect("the head of an answer");
    std::future::pending::<()>().await;
}

// promise N4
#[tokio::test(start_paused = true)]
async fn a_connection_is_asked_to_go_at_its_age_and_cut_off_at_its_end() {
    let ends = async |client: fn(DuplexStream) -> BoxFuture<'static, ()>| {
        let (stream, server) = start(Behaviour::Answer, &CancellationToken::new()).await;
        let begun = tokio::time::Instant::now();
        let _client = AbortOnDropHandle::new(tokio::spawn(client(stream)));
        server.await.unwrap();
        begun.elapsed()
    };
    let idle = ends(|stream| {
        Box::pin(async {
            let mut client = connect(stream).await;
            client.get_jwks(GetJwksRequest {}).await.expect("an answer");
            std::future::pending::<()>().await;
        })
    });
    let age = idle.await;
    assert!(age >= LIMITS.age && age < LIMITS.end, "{age:?}");
    assert_eq!(ends(|stream| Box::pin(asks_and_takes_nothing(stream))).await, LIMITS.end);
}

// promise N4
#[tokio::test(start_paused = true)]
async fn a_preface_that_never_ends_is_cut_off() {
    let (mut stream, server) = start(Behaviour::Answer, &CancellationToken::new()).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    let begun = tokio::time::Instant::now();
    server.await.unwrap();
    assert_eq!(begun.elapsed(), PREFACE_TIMEOUT);
}

// promise N4
#[tokio::test(start_paused = true)]
async fn headers_that_never_end_are_cut_off_within_thirty_seconds() {
    let (mut stream, server) = start(Behaviour::Answer, &CancellationToken::new()).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    // HEADERS on stream 1 without END_HEADERS: `:method: POST`, and then nothing.
    stream.write_all(&[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x83]).await.unwrap();
    let begun = tokio::time::Instant::now();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    server.await.unwrap();
    assert!(begun.elapsed() <= Duration::from_secs(30), "{:?}", begun.elapsed());
}

// promise N7
#[tokio::test(start_paused = true)]
async fn a_connection_that_has_not_begun_holds_no_drain_up() {
    let drain = CancellationToken::new();
    let (mut stream, server) = start(Behaviour::Answer, &drain).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    tokio::task::yield_now().await;
    let begun = tokio::time::Instant::now();
    drain.cancel();
    server.await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
