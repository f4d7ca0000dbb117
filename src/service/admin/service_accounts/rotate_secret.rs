//! Gives a service account a new secret.

use std::sync::Arc;
use std::time::Duration;

use super::WithSecret;
use crate::crypto::service_secret;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::id::ServiceAccountId;
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::service_account::SecretRotation;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Gives a service account a new secret; the one before it is valid for the overlap, so that nobody needs to be quick.
pub struct RotateServiceAccountSecret {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl RotateServiceAccountSecret {
    pub async fn run(&self, account: ServiceAccountId, overlap: Duration, by: &Initiator) -> ServiceResult<WithSecret> {
        let context = by.context(self.clock.now());
        let secret = service_secret::mint(self.entropy.as_ref());
        let rotation = SecretRotation { account, secret: secret.hash, overlap_ends_at: context.at.after(overlap) };
        let rotated = self.accounts.rotate(rotation, &context).await?;
        let account = rotated.ok_or(ServiceError::ServiceAccountUnknown)?;
        let kind = AuditKind::ServiceAccountSecretRotated;
        security_event::log(&AuditEvent::by_actor(kind, Some(account.id.into()), &context), &by.origin);
        Ok(WithSecret { account, secret: secret.text })
    }
}
