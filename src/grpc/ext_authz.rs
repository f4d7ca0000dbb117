//! `envoy.service.auth.v3.Authorization`: convert in, run, convert out.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert::ext_authz;
use super::pb::envoy;
use super::pb::envoy::authorization_server::Authorization;
use crate::service::gateway::authorize_request::AuthorizeRequest;

/// The use case behind `Authorization`.
pub struct ExtAuthzApi {
    pub authorize_request: Arc<AuthorizeRequest>,
}

#[tonic::async_trait]
impl Authorization for ExtAuthzApi {
    async fn check(&self, request: Request<envoy::CheckRequest>) -> Result<Response<envoy::CheckResponse>, Status> {
        let attributes = request.into_inner().attributes.unwrap_or_default();
        let decision = self.authorize_request.run(ext_authz::authorization(&attributes), ext_authz::route(&attributes));
        Ok(Response::new(ext_authz::answer(&decision)))
    }
}
