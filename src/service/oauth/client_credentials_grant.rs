//! The grant `client_credentials` (RFC 6749, section 4.4): the access token of a service account.

use std::sync::Arc;

use super::client::{CheckClient, PresentedClient};
use crate::domain::origin::Origin;
use crate::service::auth::token_set::ServiceToken;
use crate::service::error::ServiceResult;
use crate::service::token::issue_service_token::{CALL, IssueServiceToken};

/// The grant `client_credentials`.
pub struct ClientCredentialsGrant {
    pub clients: Arc<CheckClient>,
    pub issue: Arc<IssueServiceToken>,
}

/// Who wants a token, and for what.
pub struct ClientCredentialsRequest {
    pub client: PresentedClient,
    /// Empty means all that the account may have.
    pub audience: String,
}

impl ClientCredentialsGrant {
    /// Fails with `InvalidCredentials` for the public client: it has nothing to show.
    pub async fn run(&self, request: ClientCredentialsRequest, origin: &Origin) -> ServiceResult<ServiceToken> {
        let account = self.clients.service_account(request.client, CALL, origin).await?;
        self.issue.issue(&account, &request.audience, origin)
    }
}
