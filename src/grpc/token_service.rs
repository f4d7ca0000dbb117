//! `keystead.v1.TokenService`: convert in, run, convert out.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert::{keys, service_accounts};
use super::front::split;
use super::pb;
use super::pb::token_service_server::TokenService;
use crate::service::token::issue_service_token::IssueServiceToken;
use crate::service::token::jwks::GetJwks;
use crate::service::token::revoke_token::RevokeToken;

/// The use cases behind `TokenService`.
pub struct TokenApi {
    pub get_jwks: Arc<GetJwks>,
    pub issue_service_token: IssueServiceToken,
    pub revoke_token: RevokeToken,
}

#[tonic::async_trait]
impl TokenService for TokenApi {
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
}
