//! Revocation of a token (RFC 7009): what RevokeToken does, for clients that may prove themselves.

use std::sync::Arc;

use super::client::{CheckClient, PresentedClient};
use crate::domain::origin::Origin;
use crate::service::error::ServiceResult;
use crate::service::token::revoke_token::RevokeToken;

/// What the trail calls a client with a wrong secret.
const CALL: &str = "RevokeToken";

/// Revokes a token.
pub struct Revoke {
    pub clients: Arc<CheckClient>,
    pub revoke_token: Arc<RevokeToken>,
}

/// The token, and the client that wants it revoked.
pub struct RevokeRequest {
    pub client: PresentedClient,
    pub token: String,
}

impl Revoke {
    /// A secret that is shown has to be right. Beyond that whoever holds the token may revoke it, whoever they are: to
    /// refuse a client who proved to be another would only have it ask again without a name.
    pub async fn run(&self, request: RevokeRequest, origin: &Origin) -> ServiceResult<()> {
        self.clients.run(request.client, CALL, origin).await?;
        self.revoke_token.run(request.token, origin).await
    }
}
