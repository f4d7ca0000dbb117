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
use crate::domain::service_account::{SecretRotation, SecretRotationOutcome};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Gives a service account a new secret; those before it are valid for the overlap, so that nobody needs to be quick.
pub struct RotateServiceAccountSecret {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// For how long after its issue an access token can be accepted.
    pub token_reach: Duration,
}

impl RotateServiceAccountSecret {
    pub async fn run(&self, account: ServiceAccountId, overlap: Duration, by: &Initiator) -> ServiceResult<WithSecret> {
        let context = by.context(self.clock.now());
        let secret = service_secret::mint(self.entropy.as_ref());
        let rotation = SecretRotation {
            account,
            secret: secret.hash,
            overlap_ends_at: context.at.after(overlap),
            revocations_expire_at: context.at.after(self.token_reach),
        };
        let (account, revocations) = match self.accounts.rotate(rotation, &context).await? {
            SecretRotationOutcome::Rotated { account, revocations } => (account, revocations),
            SecretRotationOutcome::TooManySecrets => return Err(ServiceError::LimitReached),
            SecretRotationOutcome::Unknown => return Err(ServiceError::ServiceAccountUnknown),
        };
        self.revoker.tell(&revocations).await;
        let kind = AuditKind::ServiceAccountSecretRotated;
        security_event::log(&AuditEvent::by_actor(kind, Some(account.id.into()), &context), &by.origin);
        Ok(WithSecret { account, secret: secret.text })
    }
}
