//! HTTP/2 by hand: frames as no decent client sends them (RFC 9113).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Of SETTINGS and PING.
pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The PING after a flood: its answer says that the connection has survived.
const MARK: &[u8; 8] = b"the mark";
/// Pieces of a flood that are written at once.
const BURST: u32 = 50;

/// A frame.
#[derive(Clone, Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn new(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Self {
        Self { kind, flags, stream, payload: payload.to_vec() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a short frame").to_be_bytes();
        let head = [&length[1..], &[self.kind, self.flags]].concat();
        [head, self.stream.to_be_bytes().to_vec(), self.payload.clone()].concat()
    }

    /// The error code of RST_STREAM or GOAWAY.
    pub fn error(&self) -> u32 {
        let start = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[start..start + 4].try_into().expect("four bytes"))
    }

    /// The value of a setting in SETTINGS.
    pub fn setting(&self, id: u16) -> Option<u32> {
        let entry = self.payload.chunks(6).find(|entry| entry[..2] == id.to_be_bytes())?;
        Some(u32::from_be_bytes(entry[2..].try_into().expect("four bytes")))
    }
}

/// The header block of a gRPC call, in literals that no table remembers (RFC 7541, section 6.2.2).
pub fn call_block(path: &str) -> Vec<u8> {
    [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]
    .iter()
    .flat_map(|(name, value)| header(name, value))
    .collect()
}

/// One header of a block; name and value shorter than 127 bytes.
pub fn header(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).ok().filter(|length| *length < 127).expect("a short text");
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// The end of a connection that sends.
pub struct Sender(OwnedWriteHalf);

impl Sender {
    /// False where the other side is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }
}

/// The end of a connection that receives.
pub struct Receiver(BufReader<OwnedReadHalf>);

impl Receiver {
    /// `None` once the other side is gone.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    /// The next frame of a kind; fails the test where the other side goes before.
    pub async fn next_of(&mut self, kind: u8) -> Frame {
        loop {
            let frame =
                self.next().await.unwrap_or_else(|| panic!("the connection ended before a frame of kind {kind}"));
            if frame.kind == kind {
                return frame;
            }
        }
    }
}

/// Opens a connection, and says what every client says first.
pub async fn open(address: SocketAddr) -> (Sender, Receiver) {
    let (reading, writing) = TcpStream::connect(address).await.expect("the port is open").into_split();
    let mut sender = Sender(writing);
    sender.send(&[PREFACE, &Frame::new(SETTINGS, 0, 0, &[]).bytes()].concat()).await;
    (sender, Receiver(BufReader::new(reading)))
}

/// How a flood ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flooded {
    /// RST_STREAM frames that the server has sent.
    pub resets: usize,
    /// Other frames about streams that the server has sent.
    pub answers: usize,
    /// The error code of the GOAWAY that ended it.
    pub goaway: Option<u32>,
    /// Whether the connection was still answered after the last piece.
    pub survived: bool,
}

/// Sends so many pieces, each made for a number from 0, until the server ends the connection.
pub async fn flood<P>(address: SocketAddr, pieces: u32, piece: P) -> Flooded
where
    P: Fn(u32) -> Vec<u8> + Send + 'static,
{
    let (mut sender, mut receiver) = open(address).await;
    let sending = tokio::spawn(async move {
        for first in (0..pieces).step_by(BURST as usize) {
            let burst: Vec<u8> = (first..pieces.min(first + BURST)).flat_map(&piece).collect();
            if !sender.send(&burst).await {
                return None;
            }
        }
        sender.send(&Frame::new(PING, 0, 0, MARK).bytes()).await.then_some(sender)
    });
    let mut flooded = Flooded::default();
    while let Some(frame) = receiver.next().await {
        match frame.kind {
            RST_STREAM => flooded.resets += 1,
            GOAWAY => flooded.goaway = Some(frame.error()),
            PING if frame.payload == MARK => {
                flooded.survived = true;
                break;
            }
            _ if frame.stream > 0 => flooded.answers += 1,
            _ => {}
        }
    }
    drop(receiver);
    drop(sending.await.expect("the flood"));
    flooded
}
