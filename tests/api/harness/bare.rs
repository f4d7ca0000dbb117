//! A client one floor below gRPC: sends any HTTP/2 request, and shows the whole answer.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Request, StatusCode};
use tokio::net::TcpStream;
use tonic::Status;

use super::failure::Failure;

/// A connection.
#[derive(Clone)]
pub struct Bare {
    send: SendRequest<Bytes>,
    address: SocketAddr,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct BareAnswer {
    pub http: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
}

impl BareAnswer {
    /// Fails the test unless the call was refused; the details are checked as those of every call.
    pub fn refusal(&self) -> Failure {
        let status = Status::from_header_map(&self.headers).or_else(|| Status::from_header_map(&self.trailers));
        let status = status.unwrap_or_else(|| panic!("no status of gRPC: {self:?}"));
        assert_ne!(status.code(), tonic::Code::Ok, "{self:?}");
        Failure::checked(status)
    }

    pub fn is_ok(&self) -> bool {
        self.trailers.get("grpc-status").is_some_and(|status| status == "0")
    }
}

/// The bytes of a message as they travel (gRPC over HTTP/2, "Length-Prefixed-Message").
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0], &length.to_be_bytes()[..], message].concat()
}

impl Bare {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        let (send, connection) = h2::client::handshake(stream).await.map_err(io::Error::other)?;
        // How the connection ends, each call on it learns by itself.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { send, address })
    }

    /// A gRPC call, to be changed at will.
    pub fn call(&self, path: &str) -> Request<()> {
        let request = Request::post(format!("http://{}{path}", self.address));
        request.header("content-type", "application/grpc").header("te", "trailers").body(()).expect("a request")
    }

    /// Begins a request whose body is still to come.
    pub async fn begin(&self, request: Request<()>) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        self.send.clone().ready().await?.send_request(request, false)
    }

    /// Sends a request with its whole body, and waits for the whole answer.
    pub async fn try_send(&self, request: Request<()>, body: Vec<u8>) -> Result<BareAnswer, h2::Error> {
        let (response, mut stream) = self.begin(request).await?;
        // A refusal may come before the body has gone, and ends the stream; whatever else goes wrong, the answer tells.
        drop(stream.send_data(body.into(), true));
        whole(response).await
    }

    pub async fn send(&self, request: Request<()>, body: Vec<u8>) -> BareAnswer {
        self.try_send(request, body).await.expect("an answer")
    }
}

/// Waits for the whole of an answer.
pub async fn whole(response: ResponseFuture) -> Result<BareAnswer, h2::Error> {
    let (head, mut stream) = response.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?.unwrap_or_default();
    Ok(BareAnswer { http: head.status, headers: head.headers, body, trailers })
}
