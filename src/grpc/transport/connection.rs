//! One connection, from its first byte to its last: HTTP/2 within the limits that hyper and h2 leave open by default, and
//! HTTP/1.1 where browsers are let in.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::inbound::Inbound;
use crate::grpc::front::Front;
use crate::grpc::web::Web;

const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);
/// Together under the 30 seconds after which an unfinished block of headers must be gone: it keeps its sender from
/// answering a PING (promise N4).
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;
/// Without this a flood of streams that we have to reset is never stopped (CVE-2025-8671).
const MAX_LOCAL_ERROR_RESETS: usize = 100;
/// Resets of streams that no handler has seen yet (CVE-2023-44487).
const MAX_PENDING_ACCEPT_RESETS: usize = 20;

/// From the first byte of the block of headers to its last, and between two requests of a connection (HTTP/1.1).
const HTTP1_HEADER_TIMEOUT: Duration = Duration::from_secs(15);

/// What a connection is held to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub max_streams: u32,
    /// After this the client is asked to go (GOAWAY).
    pub age: Duration,
    /// After this it has gone.
    pub end: Duration,
}

/// Who answers.
#[derive(Clone)]
pub struct Answerer {
    pub front: Arc<Front>,
    /// The door for browsers, where there is one.
    pub web: Option<Web>,
}

impl Answerer {
    async fn answer(&self, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        match &self.web {
            None => self.front.answer(peer.ip(), request).await,
            // Boxed, or the answers of those who are no browsers would have the room for it too.
            Some(web) => Box::pin(web.answer(Arc::clone(&self.front), peer.ip(), request)).await,
        }
    }
}

/// Speaks HTTP over the stream until the client goes, breaks a limit or, after a drain, has its answers.
pub async fn serve<S>(stream: S, peer: SocketAddr, answerer: Answerer, limits: Limits, drain: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (stream, meter) = Inbound::new(stream);
    let builder = builder(limits, answerer.web.is_some());
    let service = service_fn(move |request: Request<Incoming>| {
        let answerer = answerer.clone();
        // Boxed at once: on its way to a task of its own it is moved several times, and it is large.
        Box::pin(async move { Ok::<_, Infallible>(answerer.answer(peer, request).await) })
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut preface = pin!(tokio::time::sleep(PREFACE_TIMEOUT));
    let mut age = pin!(tokio::time::sleep(limits.age));
    let mut end = pin!(tokio::time::sleep(limits.end));
    let mut stage = Stage::Beginning;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "a connection ended early");
                }
                return;
            }
            () = preface.as_mut(), if stage == Stage::Beginning => {
                if !meter.has_begun() {
                    tracing::debug!(%peer, "a connection never began");
                    return;
                }
                stage = Stage::Open;
            }
            () = age.as_mut(), if stage != Stage::Leaving => {
                connection.as_mut().graceful_shutdown();
                stage = Stage::Leaving;
            }
            () = drain.cancelled(), if stage != Stage::Leaving => {
                // Who has not begun has no call to finish, and would be waited for.
                if !meter.has_begun() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                stage = Stage::Leaving;
            }
            () = end.as_mut() => {
                tracing::debug!(%peer, "a connection outlived its age");
                return;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The preface may still be missing.
    Beginning,
    Open,
    /// The client has been told to go.
    Leaving,
}

fn builder(limits: Limits, with_http1: bool) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP1_HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_LIST_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .max_local_error_reset_streams(MAX_LOCAL_ERROR_RESETS)
        .max_pending_accept_reset_streams(MAX_PENDING_ACCEPT_RESETS)
        .keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    if with_http1 { builder } else { builder.http2_only() }
}

#[cfg(test)]
mod tests;
