//! Exchanges the id and the secret of a service account for an access token (after RFC 6749, section 4.4).

use std::sync::Arc;

use super::service_authenticator::ServiceAuthenticator;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::id::ServiceAccountId;
use crate::domain::origin::Origin;
use crate::domain::service_account::ServiceAccount;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::auth::token_set::ServiceToken;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;

/// What the trail calls an attempt with a wrong secret, whichever protocol it came by.
pub const CALL: &str = "IssueServiceToken";

/// Exchanges the id and the secret of a service account for an access token.
pub struct IssueServiceToken {
    pub authenticator: Arc<ServiceAuthenticator>,
    pub keys: Arc<LiveKeys>,
    pub issuer: Arc<TokenIssuer>,
}

/// Who wants a token, and for what.
pub struct IssueServiceTokenRequest {
    pub account: ServiceAccountId,
    pub secret: String,
    /// Empty means all that the account may have.
    pub audience: String,
}

impl IssueServiceToken {
    pub async fn run(&self, request: IssueServiceTokenRequest, origin: &Origin) -> ServiceResult<ServiceToken> {
        let account = self.authenticator.run(Some(request.account), &request.secret, CALL, origin).await?;
        self.issue(&account, &request.audience, origin)
    }

    /// A token of an account that has shown its secret. It is told to the log alone, since it comes as often as a
    /// refresh.
    pub fn issue(&self, account: &ServiceAccount, audience: &str, origin: &Origin) -> ServiceResult<ServiceToken> {
        let audience = audiences(account, audience)?;
        let token = self.issuer.issue_for_service(&*self.keys.signing_ring()?, account, audience)?;
        let id = Some(account.id.into());
        let issued = AuditEvent {
            actor: id,
            subject: id,
            session: Some(token.session),
            ..security_event::event(AuditKind::TokenIssued, AuditOutcome::Success)
        };
        security_event::log(&issued, origin);
        Ok(token)
    }
}

fn audiences(account: &ServiceAccount, wanted: &str) -> ServiceResult<Vec<String>> {
    if wanted.is_empty() {
        return Ok(account.audiences.clone());
    }
    if account.audiences.iter().any(|allowed| allowed == wanted) {
        return Ok(vec![wanted.to_owned()]);
    }
    Err(ServiceError::invalid_field("audience", "must be one of the service account's audiences"))
}
