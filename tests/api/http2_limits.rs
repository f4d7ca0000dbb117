//! What a connection may not do to the others: floods, hoards of streams, and beginnings without an end.

use std::time::Duration;

use keystead::grpc::pb::GetJwksRequest;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::bare::{Bare, framed};
use crate::harness::frames::{self, Flooded, Frame};
use crate::harness::{Backend, Keystead, Program};

const GET_JWKS: &str = "/keystead.v1.TokenService/GetJwks";
const PIECES: u32 = 20_000;
/// Resets that the server may have sent before it says that it is enough.
const MOST_RESETS: usize = 1_100;
const PROTOCOL_ERROR: u32 = 0x1;
const STREAM_CLOSED: u32 = 0x5;
const ENHANCE_YOUR_CALM: u32 = 0xb;
const REFUSED_STREAM: u32 = 0x7;
const CANCEL: [u8; 4] = [0, 0, 0, 8];
/// How much more memory a flood may leave behind, in KiB.
const MEMORY: u64 = 48 * 1024;

/// Floods a Keystead of its own while somebody else calls it, and checks that neither they nor its memory notice.
async fn flooded<P>(pieces: u32, piece: P) -> Flooded
where
    P: Fn(u32) -> Vec<u8> + Send + 'static,
{
    let folder = TempDir::new().expect("a folder");
    let program = Program::start(folder.path(), &[]).await;
    let other = program.client().await;
    other.get_jwks(GetJwksRequest {}).await.expect("the keys");
    let before = program.memory();
    let mut flood = tokio::spawn(frames::flood(program.grpc, pieces, piece));
    let outcome = loop {
        tokio::select! {
            outcome = &mut flood => break outcome.expect("a flood"),
            answer = other.get_jwks(GetJwksRequest {}) => drop(answer.expect("others are served meanwhile")),
        }
    };
    other.get_jwks(GetJwksRequest {}).await.expect("others are served afterwards");
    let grown = program.memory().saturating_sub(before);
    assert!(grown < MEMORY, "the flood took {grown} KiB: {outcome:?}");
    outcome
}

fn stream(number: u32) -> u32 {
    number * 2 + 1
}

/// A call whose message is still to come.
fn opened(number: u32) -> Vec<u8> {
    Frame::new(frames::HEADERS, frames::END_HEADERS, stream(number), &frames::call_block(GET_JWKS)).bytes()
}

fn stopped_early(outcome: Flooded, errors: &[u32]) {
    assert!(outcome.goaway.is_some_and(|error| errors.contains(&error)), "{outcome:?}");
    assert!(outcome.resets <= MOST_RESETS && !outcome.survived, "{outcome:?}");
}

// promise N3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_makes_us_reset_streams_by_window_updates_is_sent_away() {
    let outcome = flooded(PIECES, |number| {
        let overflow = Frame::new(frames::WINDOW_UPDATE, 0, stream(number), &0x7fff_ffff_u32.to_be_bytes());
        [opened(number), overflow.bytes()].concat()
    });
    stopped_early(outcome.await, &[ENHANCE_YOUR_CALM]);
}

// promise N3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_makes_us_reset_streams_by_data_after_their_end_is_sent_away() {
    let outcome = flooded(PIECES, |number| {
        let end = Frame::new(frames::DATA, frames::END_STREAM, stream(number), &framed(&[]));
        let more = Frame::new(frames::DATA, 0, stream(number), &[0]);
        [opened(number), end.bytes(), more.bytes()].concat()
    });
    // Of a stream that has been answered meanwhile nothing is known any more: that ends the connection at once.
    stopped_early(outcome.await, &[ENHANCE_YOUR_CALM, PROTOCOL_ERROR, STREAM_CLOSED]);
}

// promise N3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_resets_its_own_streams_at_once_is_sent_away() {
    let outcome = flooded(PIECES, |number| {
        [opened(number), Frame::new(frames::RST_STREAM, 0, stream(number), &CANCEL).bytes()].concat()
    });
    stopped_early(outcome.await, &[ENHANCE_YOUR_CALM]);
}

// promise N3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_go_on_and_on_are_cut_off() {
    let outcome = flooded(PIECES, |number| match number {
        0 => Frame::new(frames::HEADERS, 0, 1, &frames::call_block(GET_JWKS)).bytes(),
        _ => Frame::new(frames::CONTINUATION, 0, 1, &frames::header("x-more", "more")).bytes(),
    });
    stopped_early(outcome.await, &[ENHANCE_YOUR_CALM]);
}

// promise N3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_say_nothing_leave_nothing_behind() {
    let nothing = [
        Frame::new(frames::PING, 0, 0, b"question").bytes(),
        Frame::new(frames::SETTINGS, 0, 0, &[]).bytes(),
        Frame::new(frames::DATA, 0, 1, &[]).bytes(),
    ]
    .concat();
    let outcome = flooded(10 * PIECES, move |number| match number {
        0 => opened(0),
        _ => nothing.clone(),
    });
    assert_eq!(outcome.await.resets, 0);
}

// promise N2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hundred_and_first_call_at_once_is_refused_and_the_hundred_are_answered() {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let (mut sender, mut receiver) = frames::open(keystead.replica(0).grpc).await;
    let settings = receiver.next_of(frames::SETTINGS).await;
    assert_eq!((settings.setting(3), settings.setting(6)), (Some(100), Some(16 * 1024)));
    let all: Vec<u8> = (0..120).flat_map(opened).collect();
    assert!(sender.send(&all).await);
    for number in 100..120 {
        let refused = receiver.next_of(frames::RST_STREAM).await;
        assert_eq!((refused.stream, refused.error()), (stream(number), REFUSED_STREAM));
    }
    let message = framed(&[]);
    for number in 0..100 {
        assert!(sender.send(&Frame::new(frames::DATA, frames::END_STREAM, stream(number), &message).bytes()).await);
    }
    let mut answered = Vec::new();
    while answered.len() < 100 {
        let frame = receiver.next().await.expect("an answer to each");
        if frame.kind == frames::HEADERS && frame.flags & frames::END_STREAM > 0 {
            answered.push(frame.stream);
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, (0..100).map(stream).collect::<Vec<_>>());
}

// promise N2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_over_sixteen_kib_are_refused_and_the_connection_goes_on() {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let bare = Bare::connect(keystead.replica(0).grpc).await.expect("a connection");
    let mut request = bare.call(GET_JWKS);
    for number in 0..20 {
        let name: http::HeaderName = format!("x-large-{number}").parse().expect("a name");
        request.headers_mut().insert(name, "x".repeat(1024).parse().expect("a value"));
    }
    assert_eq!(bare.send(request, framed(&[])).await.http, 431);
    assert!(bare.send(bare.call(GET_JWKS), framed(&[])).await.is_ok());
}

/// Says something and then nothing; whether the other side has hung up in time.
async fn is_hung_up_on(address: std::net::SocketAddr, beginning: &[u8]) -> bool {
    let mut stream = TcpStream::connect(address).await.expect("the port is open");
    stream.write_all(beginning).await.expect("a written beginning");
    let mut heard = Vec::new();
    // An end and a reset are the same here: the connection is gone.
    let gone = async { drop(stream.read_to_end(&mut heard).await) };
    tokio::time::timeout(UNFINISHED, gone).await.is_ok()
}

/// Thirty seconds, and some for a loaded machine.
const UNFINISHED: Duration = Duration::from_secs(33);

// promise N4
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_finish_what_they_begin_is_hung_up_on_within_thirty_seconds() {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let address = keystead.replica(0).grpc;
    let settings = Frame::new(frames::SETTINGS, 0, 0, &[]).bytes();
    let half_a_block = Frame::new(frames::HEADERS, 0, 1, &frames::call_block(GET_JWKS)).bytes();
    let half_a_head = [frames::PREFACE, &settings, &half_a_block].concat();
    let ends = tokio::join!(
        is_hung_up_on(address, b""),
        is_hung_up_on(address, &frames::PREFACE[..12]),
        is_hung_up_on(address, frames::PREFACE),
        is_hung_up_on(address, &half_a_head),
        is_hung_up_on(address, &half_a_head[..half_a_head.len() - 9]),
    );
    assert_eq!(ends, (true, true, true, true, true));
}
