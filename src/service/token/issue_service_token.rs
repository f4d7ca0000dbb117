//! Exchanges the id and the secret of a service account for an access token (after RFC 6749, section 4.4).

use std::sync::Arc;

use crate::crypto::service_secret;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::id::ServiceAccountId;
use crate::domain::origin::Origin;
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::ports::{AuditContext, AuditLog};
use crate::domain::service_account::ServiceAccount;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::auth::token_set::ServiceToken;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;

/// What the trail calls an attempt with a wrong secret.
const DETAIL: &str = "IssueServiceToken";

/// Exchanges the id and the secret of a service account for an access token.
pub struct IssueServiceToken {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub audit: Arc<dyn AuditLog>,
    pub guard: Arc<SecretGuard>,
    pub keys: Arc<LiveKeys>,
    pub issuer: Arc<TokenIssuer>,
    pub clock: Arc<dyn Clock>,
}

/// Who wants a token, and for what.
pub struct IssueServiceTokenRequest {
    pub account: ServiceAccountId,
    pub secret: String,
    /// Empty means all that the account may have.
    pub audience: String,
}

impl IssueServiceToken {
    /// A wrong secret spends the budget of its source and is recorded; a right one spends nothing, so that a source
    /// that strangers share is not shut out, and is told to the log alone, since it comes as often as a refresh.
    pub async fn run(&self, request: IssueServiceTokenRequest, origin: &Origin) -> ServiceResult<ServiceToken> {
        let Some(account) = self.find(&request).await? else {
            self.guard.admit_source(origin).await?;
            return self.refuse(origin).await;
        };
        let audience = audience(&account, &request.audience)?;
        let token = self.issuer.issue_for_service(&*self.keys.signing_ring()?, &account, audience)?;
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

    async fn find(&self, request: &IssueServiceTokenRequest) -> ServiceResult<Option<ServiceAccount>> {
        match service_secret::parse(&request.secret) {
            Some(hash) => Ok(self.accounts.find_by_secret(request.account, &hash, self.clock.now()).await?),
            None => Ok(None),
        }
    }

    /// Whose account it was meant to be is not said: the secret proves nothing.
    async fn refuse(&self, origin: &Origin) -> ServiceResult<ServiceToken> {
        let failed = AuditEvent {
            detail: Some(DETAIL.to_owned()),
            ..security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure)
        };
        security_event::log(&failed, origin);
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        self.audit.record(failed, &context).await?;
        Err(ServiceError::InvalidCredentials)
    }
}

fn audience(account: &ServiceAccount, wanted: &str) -> ServiceResult<Vec<String>> {
    if wanted.is_empty() {
        return Ok(account.audiences.clone());
    }
    if account.audiences.iter().any(|allowed| allowed == wanted) {
        return Ok(vec![wanted.to_owned()]);
    }
    Err(ServiceError::invalid_field("audience", "must be one of the service account's audiences"))
}
