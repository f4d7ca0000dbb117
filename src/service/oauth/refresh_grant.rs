//! The grant `refresh_token` (RFC 6749, section 6): a session of a person goes on.

use std::sync::Arc;

use super::client::{CheckClient, Client, PresentedClient};
use crate::domain::origin::Origin;
use crate::service::auth::refresh::{Refresh, RefreshRequest};
use crate::service::auth::token_set::TokenSet;
use crate::service::error::{ServiceError, ServiceResult};

/// What the trail calls a client with a wrong secret.
const CALL: &str = "Refresh";

/// The grant `refresh_token`.
pub struct RefreshGrant {
    pub clients: Arc<CheckClient>,
    pub refresh: Arc<Refresh>,
}

/// The refresh token, and the client that presents it.
pub struct RefreshGrantRequest {
    pub client: PresentedClient,
    pub refresh_token: String,
}

impl RefreshGrant {
    /// Every refresh token was issued to the public client: one that a service account presents in its own name is
    /// refused unread, so that it costs the session nothing.
    pub async fn run(&self, request: RefreshGrantRequest, origin: &Origin) -> ServiceResult<TokenSet> {
        match self.clients.run(request.client, CALL, origin).await? {
            Client::ServiceAccount(_) => Err(ServiceError::InvalidToken),
            Client::Public => self.refresh.run(RefreshRequest { refresh_token: request.refresh_token }, origin).await,
        }
    }
}
