//! One connection: HTTP/1.1 within limits, so that slow clients hold nothing for long.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// For the headers of a request, and for the next request to begin.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BUFFER_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// After this the connection ends with the answer that it is at.
const AGE: Duration = Duration::from_mins(1);
/// After this it ends whatever it is at.
const END: Duration = Duration::from_secs(75);

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Answers requests until the client goes, breaks a limit, or is asked to go.
pub async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, drain: CancellationToken) {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_BUFFER_BYTES)
        .max_headers(MAX_HEADERS);
    let router = router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        request
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let mut leave = pin!(async {
        tokio::select! {
            () = drain.cancelled() => {}
            () = tokio::time::sleep(AGE) => {}
        }
    });
    let mut end = pin!(tokio::time::sleep(END));
    let mut leaving = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "a connection ended early");
                }
                return;
            }
            () = leave.as_mut(), if !leaving => {
                connection.as_mut().graceful_shutdown();
                leaving = true;
            }
            () = end.as_mut() => return,
        }
    }
}
