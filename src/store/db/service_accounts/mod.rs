//! Service accounts and their secrets.

mod change;
mod read;

use async_trait::async_trait;

use super::database::Database;
use crate::domain::clock::Timestamp;
use crate::domain::id::{ServiceAccountId, SessionId};
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::revocation::Revocation;
use crate::domain::service_account::{
    NewServiceAccount, SecretHash, SecretRotation, SecretRotationOutcome, ServiceAccount, ServiceAccountCreation,
    ServiceAccountDeletion,
};

pub(super) use read::find;

#[async_trait]
impl ServiceAccounts for Database {
    async fn create(&self, new: NewServiceAccount, context: &AuditContext) -> StoreResult<ServiceAccountCreation> {
        self.run(|| self.try_create_service_account(&new, context)).await
    }

    async fn list(
        &self,
        after: Option<ServiceAccountId>,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<ServiceAccount>> {
        self.run(|| read::list(&self.reader, after, limit, now)).await
    }

    async fn find_by_secret(
        &self,
        id: ServiceAccountId,
        secret: &SecretHash,
        now: Timestamp,
    ) -> StoreResult<Option<ServiceAccount>> {
        self.run(|| read::find_by_secret(&self.reader, id, secret, now)).await
    }

    async fn rotate(&self, rotation: SecretRotation, context: &AuditContext) -> StoreResult<SecretRotationOutcome> {
        self.run(|| self.try_rotate_secret(&rotation, context)).await
    }

    async fn delete(
        &self,
        id: ServiceAccountId,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<ServiceAccountDeletion> {
        self.run(|| self.try_delete_service_account(id, revocations_expire_at, context)).await
    }

    async fn revoke_token(
        &self,
        id: ServiceAccountId,
        session: SessionId,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Revocation> {
        self.run(|| self.try_revoke_service_token(id, session, expires_at, context)).await
    }
}
