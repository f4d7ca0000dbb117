//! Deletes a service account.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::ServiceAccountId;
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::service_account::ServiceAccountDeletion;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Deletes a service account; its tokens are refused from then on.
pub struct DeleteServiceAccount {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    /// For how long after its issue an access token can be accepted.
    pub token_reach: Duration,
}

impl DeleteServiceAccount {
    pub async fn run(&self, id: ServiceAccountId, by: &Initiator) -> ServiceResult<()> {
        let context = by.context(self.clock.now());
        match self.accounts.delete(id, context.at.after(self.token_reach), &context).await? {
            ServiceAccountDeletion::Unknown => Err(ServiceError::ServiceAccountUnknown),
            ServiceAccountDeletion::Deleted { revocations } => {
                self.revoker.tell(&revocations).await;
                let kind = AuditKind::ServiceAccountDeleted;
                security_event::log(&AuditEvent::by_actor(kind, Some(id.into()), &context), &by.origin);
                Ok(())
            }
        }
    }
}
