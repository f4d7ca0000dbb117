//! `keystead.v1.TokenService`: convert in, run, convert out.

use std::sync::Arc;

use futures_util::stream::BoxStream;
use tonic::{Request, Response, Status};

use super::convert::{keys, revocations, service_accounts};
use super::front::{lasting, split};
use super::pb;
use super::pb::token_service_server::TokenService;
use crate::service::token::issue_service_token::IssueServiceToken;
use crate::service::token::jwks::GetJwks;
use crate::service::token::revoke_token::RevokeToken;
use crate::service::token::watch_revocations::WatchRevocations;

/// The use cases behind `TokenService`.
pub struct TokenApi {
    pub get_jwks: Arc<GetJwks>,
    pub issue_service_token: Arc<IssueServiceToken>,
    pub revoke_token: Arc<RevokeToken>,
    pub watch_revocations: WatchRevocations,
}

#[tonic::async_trait]
impl TokenService for TokenApi {
    type WatchRevocationsStream = BoxStream<'static, Result<pb::WatchRevocationsResponse, Status>>;

    async fn get_jwks(&self, _request: Request<pb::GetJwksRequest>) -> Result<Response<pb::GetJwksResponse>, Status> {
        Ok(Response::new(keys::published_keys(&self.get_jwks.run())))
    }

    async fn issue_service_token(
        &self,
        request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        let (origin, message) = split(request)?;
        let token = self.issue_service_token.run(service_accounts::issue(message)?, &origin).await?;
        Ok(Response::new(service_accounts::issued(token)))
    }

    async fn revoke_token(
        &self,
        request: Request<pb::RevokeTokenRequest>,
    ) -> Result<Response<pb::RevokeTokenResponse>, Status> {
        let (origin, message) = split(request)?;
        self.revoke_token.run(message.token, &origin).await?;
        Ok(Response::new(pb::RevokeTokenResponse {}))
    }
    async fn watch_revocations(
        &self,
        request: Request<pb::WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let (admission, stay) = lasting(&request)?;
        let watch = self.watch_revocations.run(&request.into_inner().cursor, admission).await?;
        Ok(Response::new(
            stay.tell(watch, |watch| Box::pin(async { Ok(Some(revocations::message(watch.next().await?))) })),
        ))
    }
}
