//! `keystead.v1.TokenService`: convert in, run, convert out.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert::keys;
use super::pb;
use super::pb::token_service_server::TokenService;
use crate::service::token::jwks::GetJwks;

/// The use cases behind `TokenService`.
pub struct TokenApi {
    pub get_jwks: Arc<GetJwks>,
}

#[tonic::async_trait]
impl TokenService for TokenApi {
    async fn get_jwks(&self, _request: Request<pb::GetJwksRequest>) -> Result<Response<pb::GetJwksResponse>, Status> {
        Ok(Response::new(keys::published_keys(&self.get_jwks.run())))
    }

    async fn issue_service_token(
        &self,
        _request: Request<pb::IssueServiceTokenRequest>,
    ) -> Result<Response<pb::IssueServiceTokenResponse>, Status> {
        todo!()
    }

    async fn revoke_token(
        &self,
        _request: Request<pb::RevokeTokenRequest>,
    ) -> Result<Response<pb::RevokeTokenResponse>, Status> {
        todo!()
    }
}
