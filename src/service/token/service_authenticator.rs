//! Checks the secret of a service account, for every call that takes one.

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
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Checks the secret of a service account.
pub struct ServiceAuthenticator {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub audit: Arc<dyn AuditLog>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

impl ServiceAuthenticator {
    /// The account as the database has it now. A wrong secret spends the budget of its source and is recorded, with the
    /// name of the call; a right one spends nothing, so that a source that strangers share is not shut out. `None` is an
    /// id that no account can have.
    pub async fn run(
        &self,
        id: Option<ServiceAccountId>,
        secret: &str,
        call: &'static str,
        origin: &Origin,
    ) -> ServiceResult<ServiceAccount> {
        if let (Some(id), Some(hash)) = (id, service_secret::parse(secret))
            && let Some(account) = self.accounts.find_by_secret(id, &hash, self.clock.now()).await?
        {
            return Ok(account);
        }
        self.guard.admit_source(origin).await?;
        self.refuse(call, origin).await
    }

    /// Whose account it was meant to be is not said: the secret proves nothing.
    async fn refuse<T>(&self, call: &'static str, origin: &Origin) -> ServiceResult<T> {
        let failed = AuditEvent {
            detail: Some(call.to_owned()),
            ..security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure)
        };
        security_event::log(&failed, origin);
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        self.audit.record(failed, &context).await?;
        Err(ServiceError::InvalidCredentials)
    }
}
