//! What the tests of this room share: a service that does what a test wants, a clock, and requests by hand.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http_body::Frame;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::calls::Calls;
use super::front::Front;
use super::methods::Methods;
use super::pb;
use super::pb::token_service_server::{TokenService, TokenServiceServer};
use super::stay::Stay;
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::proxies::ProxyTrust;
use crate::domain::trace::{Sampling, Traces};
use crate::service::error::ServiceError;
use crate::service::testing::World;

pub const GET_JWKS: &str = "/keystead.v1.TokenService/GetJwks";

/// A clock that stands still, and bytes that are all alike.
pub struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0xab);
    }
}

/// What the method does.
#[derive(Clone)]
pub enum Behaviour {
    Answer,
    Fail(ServiceError),
    Panic,
    /// Cancels the first token when it begins, the second one when it is dropped, and never ends.
    Hang {
        begun: CancellationToken,
        dropped: CancellationToken,
    },
    /// Cancels the first token when it begins, and answers once the second one is cancelled.
    Wait {
        begun: CancellationToken,
        go_on: CancellationToken,
    },
}

#[tonic::async_trait]
impl TokenService for Behaviour {
    async fn get_jwks(&self, _request: Request<pb::GetJwksRequest>) -> Result<Response<pb::GetJwksResponse>, Status> {
        match self.clone() {
            Self::Answer => {}
            Self::Fail(error) => return Err(error.into()),
            Self::Panic => panic!("a test wants it so"),
            Self::Hang { begun, dropped } => {
                let _guard = dropped.drop_guard();
                begun.cancel();
                std::future::pending::<()>().await;
            }
            Self::Wait { begun, go_on } => {
                begun.cancel();
                go_on.cancelled().await;
            }
        }
        Ok(Response::new(pb::GetJwksResponse::default()))
    }

    async fn issue_service_token(
        &self,
        _request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        unreachable!("no test calls it")
    }

    async fn revoke_token(
        &self,
        _request: Request<pb::RevokeTokenRequest>,
    ) -> Result<Response<pb::RevokeTokenResponse>, Status> {
        unreachable!("no test calls it")
    }

    type WatchRevocationsStream = BoxStream<'static, Result<pb::WatchRevocationsResponse, Status>>;

    async fn watch_revocations(
        &self,
        _request: Request<pb::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        unreachable!("no test calls it")
    }
}

pub async fn front(behaviour: Behaviour) -> Arc<Front> {
    let methods = Methods::served(true).expect("descriptors");
    Arc::new(Front {
        routes: Routes::new(TokenServiceServer::new(behaviour)).prepare(),
        calls: Arc::new(Calls::of(&methods)),
        methods,
        access: Arc::new(World::new().await.access()),
        proxies: ProxyTrust::default(),
        max_deadline: Duration::from_secs(30),
        stay: Arc::new(Stay { drain: CancellationToken::new(), longest: Duration::from_mins(30) }),
        clock: Arc::new(Still),
        traces: Arc::new(Traces::new(Arc::new(Still), Sampling::Off)),
    })
}

/// A body of one frame, or of none.
pub struct Once(pub Option<Bytes>);

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}
