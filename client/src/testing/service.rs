//! The issuer's side of the contract: what clients call of it; the rest is UNIMPLEMENTED.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::{Expectations, KeySet, LiveRevocation, RevocationIndex, RevokedTarget, Verdict, Verifier};
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::state::State;
use super::{ISSUER, SERVICE_ACCOUNT};
use crate::Clock;
use crate::pb::revocation::Target;
use crate::pb::token_service_server::TokenService;
use crate::pb::{self, TokenStatus};

mod auth;

const HEARTBEAT: Duration = Duration::from_millis(200);

/// Both services.
#[derive(Clone)]
pub(super) struct FakeService {
    pub(super) state: Arc<State>,
    pub(super) clock: Arc<dyn Clock>,
}

type Feed = Pin<Box<dyn Stream<Item = Result<pb::WatchRevocationsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl TokenService for FakeService {
    type WatchRevocationsStream = Feed;

    async fn get_jwks(&self, _: Request<pb::GetJwksRequest>) -> Result<Response<pb::GetJwksResponse>, Status> {
        self.state.count(|counts| counts.keys += 1);
        self.state.answers()?;
        let max_age = prost_types::Duration { seconds: 300, nanos: 0 };
        Ok(Response::new(pb::GetJwksResponse { keys: self.state.published(), max_age: Some(max_age) }))
    }

    async fn issue_service_token(
        &self,
        request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        self.state.answers()?;
        let request = request.into_inner();
        if (request.service_account_id.as_str(), request.secret.as_str()) != SERVICE_ACCOUNT {
            return Err(Status::unauthenticated("no such service account"));
        }
        let expire_time = prost_types::Timestamp { seconds: self.clock.now() / 1_000 + 600, nanos: 0 };
        let access_token = self.state.issue_bearer();
        Ok(Response::new(pb::IssueServiceTokenResponse { access_token, expire_time: Some(expire_time) }))
    }

    async fn revoke_token(
        &self,
        _: Request<pb::RevokeTokenRequest>,
    ) -> Result<Response<pb::RevokeTokenResponse>, Status> {
        Err(Status::unimplemented("not in tests"))
    }

    async fn watch_revocations(&self, request: Request<pb::WatchRevocationsRequest>) -> Result<Response<Feed>, Status> {
        self.state.answers()?;
        let bearer = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let bearer = bearer.unwrap_or_default().to_owned();
        if !self.state.takes_bearer(&bearer) {
            return Err(bearer_required());
        }
        let cursor = request.into_inner().cursor;
        self.state.count(|counts| {
            counts.feeds += 1;
            counts.snapshots += usize::from(cursor.is_empty());
        });
        let told: usize = match cursor.as_str() {
            "" => 0,
            cursor => cursor.parse().map_err(|_| Status::invalid_argument("no cursor"))?,
        };
        if !cursor.is_empty() && !self.state.takes_cursor(told) {
            return Err(Status::out_of_range("the cursor is too old"));
        }
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(tell(Arc::clone(&self.state), bearer, told, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

fn bearer_required() -> Status {
    Status::unauthenticated("a bearer is required")
}

type Reader = mpsc::Sender<Result<pb::WatchRevocationsResponse, Status>>;

/// Tells what is revoked, until the reader goes, the streams are cut, or the bearer is taken no longer.
async fn tell(state: Arc<State>, bearer: String, mut told: usize, reader: Reader) {
    let mut changes = state.changes.subscribe();
    let cuts = state.cuts();
    while state.cuts() == cuts && state.takes_bearer(&bearer) {
        if !state.is_silent() {
            let at = state.clock.now();
            let revocations = state.revoked_after(told);
            told += revocations.len();
            let message = pb::WatchRevocationsResponse {
                revocations: revocations.iter().map(message_of).collect(),
                cursor: told.to_string(),
                complete_time: Some(timestamp(at)),
                age: Some(prost_types::Duration::default()),
            };
            if reader.send(Ok(message)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            word = changes.changed() => if word.is_err() { return },
            () = tokio::time::sleep(HEARTBEAT) => {}
            () = reader.closed() => return,
        }
    }
    let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(50)));
    let cut = Status::with_error_details(tonic::Code::Unavailable, "cut", details);
    let end = if state.takes_bearer(&bearer) { cut } else { bearer_required() };
    // An error says that the reader has gone.
    drop(reader.send(Err(end)).await);
}

fn message_of(revocation: &LiveRevocation) -> pb::Revocation {
    let target = match &revocation.target {
        RevokedTarget::Session(id) => Target::SessionId(id.to_string()),
        RevokedTarget::User { id, min_epoch } => {
            Target::User(pb::UserRevocation { user_id: id.to_string(), min_epoch: *min_epoch })
        }
        RevokedTarget::Key(kid) => Target::KeyId(kid.clone()),
    };
    pb::Revocation { target: Some(target), expire_time: Some(timestamp(revocation.expires_at)) }
}

fn timestamp(millis: i64) -> prost_types::Timestamp {
    let nanos = i32::try_from(millis.rem_euclid(1_000) * 1_000_000).unwrap_or_default();
    prost_types::Timestamp { seconds: millis.div_euclid(1_000), nanos }
}
