//! A client of gRPC-Web over HTTP/1.1, as a browser is one.

use std::net::SocketAddr;

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::TcpStream;

/// Marks the frame that holds the trailers (gRPC-Web, "Protocol differences vs gRPC over HTTP2").
const TRAILERS: u8 = 0x80;

/// A connection, for one call after another.
pub struct WebClient(SendRequest<Full<Bytes>>);

/// A whole answer.
#[derive(Debug)]
pub struct WebAnswer {
    pub http: StatusCode,
    headers: HeaderMap,
    message: Bytes,
    /// Lines of `name: value`.
    trailers: String,
}

impl WebClient {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (client, connection) = handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Self(client)
    }

    pub async fn call(&mut self, path: &str, message: &impl Message, headers: &[(&str, &str)]) -> WebAnswer {
        let length = u32::try_from(message.encoded_len()).expect("a short message");
        let frame = [&[0][..], &length.to_be_bytes(), &message.encode_to_vec()].concat();
        let headers = [&[("content-type", "application/grpc-web+proto"), ("x-grpc-web", "1")], headers].concat();
        self.send(Method::POST, path, &headers, frame).await
    }

    pub async fn send(&mut self, verb: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> WebAnswer {
        let request = Request::builder().method(verb).uri(path).header("host", "auth.example.com");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.0.ready().await.expect("an open connection");
        let answer = self.0.send_request(request.body(Full::from(body)).expect("a request")).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("the whole answer").to_bytes();
        let (message, trailers) = frames(body);
        WebAnswer { http: parts.status, headers: parts.headers, message, trailers }
    }
}

impl WebAnswer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// What the headers or, where there is a body, the trailers say.
    pub fn said(&self, name: &str) -> Option<String> {
        let line = |line: &str| {
            line.split_once(':').filter(|(known, _)| known.trim() == name).map(|(_, value)| value.trim().to_owned())
        };
        self.header(name).map(str::to_owned).or_else(|| self.trailers.lines().find_map(line))
    }

    /// The status of gRPC, as a number.
    pub fn status(&self) -> Option<String> {
        self.said("grpc-status")
    }

    pub fn message<M: Message + Default>(&self) -> M {
        M::decode(self.message.clone()).expect("a message")
    }
}

/// The one message, and the trailers.
fn frames(mut body: Bytes) -> (Bytes, String) {
    let (mut message, mut trailers) = (Bytes::new(), String::new());
    while body.has_remaining() {
        let kind = body.get_u8();
        let length = body.get_u32() as usize;
        let content = body.split_to(length);
        if kind == TRAILERS {
            trailers = String::from_utf8(content.to_vec()).expect("text");
        } else {
            message = content;
        }
    }
    (message, trailers)
}
