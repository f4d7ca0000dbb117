//! Service accounts and their secrets.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::clock::Timestamp;
use crate::domain::id::{ServiceAccountId, SessionId};
use crate::domain::revocation::Revocation;
use crate::domain::service_account::{
    NewServiceAccount, SecretHash, SecretRotation, SecretRotationOutcome, ServiceAccount, ServiceAccountCreation,
    ServiceAccountDeletion,
};

/// Service accounts and their secrets.
#[async_trait]
pub trait ServiceAccounts: Send + Sync {
    /// Creates the account if every role exists.
    async fn create(&self, new: NewServiceAccount, context: &AuditContext) -> StoreResult<ServiceAccountCreation>;

    /// Up to `limit` accounts after the one named, in the order of their creation.
    async fn list(
        &self,
        after: Option<ServiceAccountId>,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<ServiceAccount>>;

    /// The account whose secret this is and that has this id, if the secret is good at `now`. One question whatever is
    /// wrong, so that the answer takes as long for each.
    async fn find_by_secret(
        &self,
        id: ServiceAccountId,
        secret: &SecretHash,
        now: Timestamp,
    ) -> StoreResult<Option<ServiceAccount>>;

    /// Gives the account a new secret.
    async fn rotate(&self, rotation: SecretRotation, context: &AuditContext) -> StoreResult<SecretRotationOutcome>;

    /// Deletes the account with its secrets and revokes its tokens.
    async fn delete(
        &self,
        id: ServiceAccountId,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<ServiceAccountDeletion>;

    /// Revokes the one token that has this session for its own.
    async fn revoke_token(
        &self,
        id: ServiceAccountId,
        session: SessionId,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Revocation>;
}
