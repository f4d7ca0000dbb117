//! The end of a replica: whoever is being served is served to the end, and the others are told to go elsewhere.

use std::net::SocketAddr;

use keystead::grpc::pb::{LogoutScope, RegisterResponse, TokenStatus};
use prost::Message as _;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::balanced::was_never_processed;
use crate::harness::bare::{self, Bare, framed};
use crate::harness::frames::{self, Frame};
use crate::harness::{Backend, MASTER_KEY, Person, Program, Servers, until};

const REGISTER: &str = "/keystead.v1.AuthService/Register";
/// Limits that no test meets by accident.
const GENEROUS: [(&str, &str); 2] =
    [("KEYSTEAD_LIMITS_PER_SOURCE_BURST", "1000000"), ("KEYSTEAD_LIMITS_PER_SOURCE_PERIOD", "1ms")];
const WORKERS: usize = 6;

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

/// A call that never finishes its message, so that its replica has something to wait for.
async fn hanging_call(address: SocketAddr) -> impl Sized {
    let bare = Bare::connect(address).await.expect("a connection");
    let call = bare.begin(bare.call(REGISTER)).await.expect("a begun call");
    // The answer to another call on the connection says that this one has arrived.
    assert!(bare.send(bare.call("/keystead.v1.TokenService/GetJwks"), framed(&[])).await.is_ok());
    (bare, call)
}

async fn refuses_connections(address: SocketAddr) {
    until("the port is closed", || async { TcpStream::connect(address).await.is_err() }).await;
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_told_to_stop_says_so_to_all_and_ends_well() {
    for (signal, delay) in [("TERM", "0s"), ("INT", "500ms")] {
        let folder = folder();
        let program = Program::start(folder.path(), &[("KEYSTEAD_DRAIN_DELAY", delay)]).await;
        let mut health = HealthClient::new(program.client().await.channel);
        let watched = health.watch(HealthCheckRequest::default()).await.expect("a stream");
        let mut watched = watched.into_inner();
        let first = watched.message().await.expect("a status").expect("a first status");
        assert_eq!(first.status(), ServingStatus::Serving);
        let (sender, mut receiver) = frames::open(program.grpc).await;
        receiver.next_of(frames::SETTINGS).await;
        program.signal(signal);
        let second = watched.message().await.expect("a status").expect("a second status");
        assert_eq!(second.status(), ServingStatus::NotServing);
        assert!(watched.message().await.expect("an end").is_none(), "the stream ends well");
        assert_eq!(receiver.next_of(frames::GOAWAY).await.error(), 0, "no error");
        drop((sender, receiver, health, watched));
        let (status, log) = program.end().await;
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
    }
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_word_spreads_calls_are_still_answered_though_the_replica_is_not_ready() {
    let folder = folder();
    let program = Program::start(folder.path(), &[("KEYSTEAD_DRAIN_DELAY", "1m")]).await;
    let client = program.client().await;
    let mut health = HealthClient::new(client.channel.clone());
    program.signal("TERM");
    until("the replica is not ready", || {
        let mut health = health.clone();
        async move {
            let answer = health.check(HealthCheckRequest::default()).await.expect("a status");
            answer.into_inner().status() == ServingStatus::NotServing
        }
    })
    .await;
    let late = program.client().await;
    Person::new("late").register(&late).await;
    health.check(HealthCheckRequest::default()).await.expect("a status");
    program.signal("TERM");
    assert_eq!(program.end().await.0.code(), Some(1), "a second signal does not wait for the word to spread");
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_begun_too_late_costs_no_call_that_is_under_way() {
    const CALL: &str = "/keystead.v1.TokenService/GetJwks";
    let folder = folder();
    let program = Program::start(folder.path(), &[]).await;
    let (mut sender, mut receiver) = frames::open(program.grpc).await;
    let begin = |stream| Frame::new(frames::HEADERS, frames::END_HEADERS, stream, &frames::call_block(CALL)).bytes();
    let end = |stream| Frame::new(frames::DATA, frames::END_STREAM, stream, &framed(&[])).bytes();
    // The answer to a PING says that the call before it has arrived.
    sender.send(&[begin(1), Frame::new(frames::PING, 0, 0, &[0; 8]).bytes()].concat()).await;
    receiver.next_of(frames::PING).await;
    program.signal("TERM");
    let asked = receiver.next_of(frames::PING).await;
    let confirmed = Frame::new(frames::PING, frames::ACK, 0, &asked.payload).bytes();
    // As gRPC's core does: a larger window with each stream.
    let window = Frame::new(frames::WINDOW_UPDATE, 0, 3, &[0, 0, 1, 0]).bytes();
    sender.send(&[confirmed, begin(3), window, end(3)].concat()).await;
    let goaway = receiver.next_of(frames::GOAWAY).await;
    assert_eq!(
        (goaway.payload[..4].to_vec(), goaway.error()),
        (vec![0, 0, 0, 1], 0),
        "up to the first stream, no error"
    );
    sender.send(&end(1)).await;
    let answer = receiver.next_of(frames::HEADERS).await;
    assert_eq!(answer.stream, 1, "the call that was under way is answered");
    let (status, log) = program.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("\"drained\":true"), "{log}");
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_does_not_wait_for_calls() {
    let folder = folder();
    let program = Program::start(folder.path(), &[("KEYSTEAD_DRAIN_TIMEOUT", "1h")]).await;
    let _hanging = hanging_call(program.grpc).await;
    program.signal("TERM");
    refuses_connections(program.grpc).await;
    program.signal("INT");
    let (status, log) = program.end().await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("a second signal"), "{log}");
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_takes_too_long_does_not_keep_the_replica() {
    let folder = folder();
    let program = Program::start(folder.path(), &[("KEYSTEAD_DRAIN_TIMEOUT", "200ms")]).await;
    let _hanging = hanging_call(program.grpc).await;
    program.signal("TERM");
    let (status, log) = program.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("cut off") && log.contains("\"drained\":false"), "{log}");
}

/// A client as a load balancer's: it goes elsewhere where it is sent away, and only then sends a call again.
struct Nomad {
    bare: Bare,
    elsewhere: SocketAddr,
    moved: bool,
}

impl Nomad {
    /// Registers a person; fails the test where a call is lost: neither answered nor refused as never processed.
    async fn register(&mut self, person: &Person) -> RegisterResponse {
        loop {
            let body = framed(&person.registration().encode_to_vec());
            match self.bare.try_send(self.bare.call(REGISTER), body).await {
                Ok(answer) if answer.is_ok() => {
                    return RegisterResponse::decode(&answer.body[5..]).expect("a message");
                }
                Ok(answer) => {
                    let refusal = answer.refusal();
                    assert_eq!(
                        refusal.reason, "HASH_CAPACITY",
                        "a call was processed and its answer lost: {refusal:?}"
                    );
                    tokio::time::sleep(refusal.retry_after.expect("a time")).await;
                }
                Err(error) => {
                    assert!(!self.moved, "the other replica failed: {error:?}");
                    assert!(was_never_processed(&error), "a call was lost: {error:?}");
                    self.bare = Bare::connect(self.elsewhere).await.expect("the other replica serves");
                    self.moved = true;
                }
            }
        }
    }
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_under_load_loses_no_call() {
    let servers = Servers::start(Backend::PostgresRedis).await;
    let url = servers.database_url.as_deref().expect("PostgreSQL");
    let shared = [("KEYSTEAD_DATABASE_URL", url), ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY)];
    let variables = [&shared[..], &GENEROUS].concat();
    let folders = (folder(), folder());
    let leaving = Program::start(folders.0.path(), &variables).await;
    let staying = Program::start(folders.1.path(), &variables).await;
    let (done, enough) = (mpsc::unbounded_channel(), CancellationToken::new());
    let (told, mut registered) = done;
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let bare = Bare::connect(leaving.grpc).await.expect("a connection");
        let mut nomad = Nomad { bare, elsewhere: staying.grpc, moved: false };
        let (told, enough) = (told.clone(), enough.clone());
        workers.spawn(async move {
            while !(enough.is_cancelled() && nomad.moved) {
                let person = Person::new("nomad");
                let response = nomad.register(&person).await;
                told.send(response.token_set.expect("tokens")).expect("the test listens");
            }
        });
    }
    drop(told);
    let mut tokens = Vec::new();
    for _ in 0..2 * WORKERS {
        tokens.push(registered.recv().await.expect("a registration"));
    }
    leaving.signal("TERM");
    let (status, log) = leaving.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("\"drained\":true"), "{log}");
    enough.cancel();
    workers.join_all().await;
    while let Some(set) = registered.recv().await {
        tokens.push(set);
    }
    let client = staying.client().await;
    for set in tokens {
        assert_eq!(client.status_of(&set.access_token).await, TokenStatus::Active);
        client.log_out(&set.refresh_token, LogoutScope::ThisSession).await.expect("the session is there");
    }
}

// promise N7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_in_flight_are_answered_after_the_signal() {
    let folder = folder();
    let program = Program::start(folder.path(), &GENEROUS).await;
    let connection = Bare::connect(program.grpc).await.expect("a connection");
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(connection.begin(connection.call(REGISTER)).await.expect("a begun call"));
    }
    assert!(connection.send(connection.call("/keystead.v1.TokenService/GetJwks"), framed(&[])).await.is_ok());
    program.signal("TERM");
    refuses_connections(program.grpc).await;
    for (response, mut stream) in calls {
        let body = framed(&Person::new("in-flight").registration().encode_to_vec());
        stream.send_data(body.into(), true).expect("the call goes on");
        assert!(bare::whole(response).await.expect("an answer").is_ok());
    }
    drop(connection);
    let (status, log) = program.end().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("\"drained\":true"), "{log}");
}
