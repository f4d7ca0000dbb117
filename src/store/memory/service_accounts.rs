//! Service accounts and their secrets.

use async_trait::async_trait;

use super::MemoryStore;
use super::state::{SecretRow, ServiceAccountRow, State};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::{ServiceAccountId, SessionId, UserId};
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::ports::{AuditContext, StoreError, StoreResult};
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::rights::roles_granted;
use crate::domain::service_account::{
    MAX_SECRETS, NewServiceAccount, SecretHash, SecretLife, SecretRotation, SecretRotationOutcome, ServiceAccount,
    ServiceAccountCreation, ServiceAccountDeletion,
};
use crate::domain::user::Epoch;

#[async_trait]
impl ServiceAccounts for MemoryStore {
    async fn create(&self, new: NewServiceAccount, context: &AuditContext) -> StoreResult<ServiceAccountCreation> {
        let mut state = self.open()?;
        if !new.roles.iter().all(|role| state.roles.contains_key(role)) {
            return Ok(ServiceAccountCreation::RoleUnknown);
        }
        let mut roles = new.roles;
        roles.sort_unstable();
        roles.dedup();
        let created_with = roles.clone();
        let account = ServiceAccount {
            id: new.id,
            display_name: new.display_name,
            audiences: new.audiences,
            roles,
            epoch: Epoch::default(),
            created_at: context.at,
            secrets: Vec::new(),
        };
        let secret = SecretRow { hash: new.secret, life: SecretLife { created_at: context.at, expires_at: None } };
        state.service_accounts.insert(new.id, ServiceAccountRow { account, secrets: vec![secret] });
        state.tell(AuditKind::ServiceAccountCreated, new.id, context);
        for granted in roles_granted(new.id.into(), &created_with, context) {
            state.record(granted, context);
        }
        let created = state.service_account(new.id, context.at).ok_or(StoreError::Corrupt)?;
        Ok(ServiceAccountCreation::Created(created))
    }

    async fn list(
        &self,
        after: Option<ServiceAccountId>,
        limit: u32,
        now: Timestamp,
    ) -> StoreResult<Vec<ServiceAccount>> {
        let state = self.open()?;
        let ids = state.service_accounts.keys().filter(|id| after.is_none_or(|after| **id > after));
        Ok(ids.take(limit as usize).filter_map(|id| state.service_account(*id, now)).collect())
    }

    async fn find_by_secret(
        &self,
        id: ServiceAccountId,
        secret: &SecretHash,
        now: Timestamp,
    ) -> StoreResult<Option<ServiceAccount>> {
        let state = self.open()?;
        let has_it = |row: &ServiceAccountRow| row.secrets.iter().any(|it| it.hash == *secret && it.life.is_good(now));
        let is_right = state.service_accounts.get(&id).is_some_and(has_it);
        Ok(state.service_account(id, now).filter(|_| is_right))
    }

    async fn rotate(&self, rotation: SecretRotation, context: &AuditContext) -> StoreResult<SecretRotationOutcome> {
        let mut state = self.open()?;
        let Some(row) = state.service_accounts.get_mut(&rotation.account) else {
            return Ok(SecretRotationOutcome::Unknown);
        };
        let overlaps = rotation.overlap_ends_at > context.at;
        row.secrets.retain(|secret| overlaps && secret.life.is_good(context.at));
        if row.secrets.len() as u64 >= MAX_SECRETS {
            return Ok(SecretRotationOutcome::TooManySecrets);
        }
        for secret in &mut row.secrets {
            let ends_at = secret.life.expires_at.unwrap_or(rotation.overlap_ends_at).min(rotation.overlap_ends_at);
            secret.life.expires_at = Some(ends_at);
        }
        let life = SecretLife { created_at: context.at, expires_at: None };
        row.secrets.insert(0, SecretRow { hash: rotation.secret, life });
        let mut revocations = Vec::new();
        if !overlaps {
            row.account.epoch.0 += 1;
            revocations.push(revocation(rotation.account, row.account.epoch, rotation.revocations_expire_at));
        }
        state.revocations.extend(revocations.clone());
        state.tell(AuditKind::ServiceAccountSecretRotated, rotation.account, context);
        let account = state.service_account(rotation.account, context.at).ok_or(StoreError::Corrupt)?;
        Ok(SecretRotationOutcome::Rotated { account, revocations })
    }

    async fn delete(
        &self,
        id: ServiceAccountId,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<ServiceAccountDeletion> {
        let mut state = self.open()?;
        let Some(row) = state.service_accounts.remove(&id) else { return Ok(ServiceAccountDeletion::Unknown) };
        let min_epoch = Epoch(row.account.epoch.0 + 1);
        let revocations = vec![revocation(id, min_epoch, expires_at)];
        state.revocations.extend(revocations.clone());
        state.tell(AuditKind::ServiceAccountDeleted, id, context);
        Ok(ServiceAccountDeletion::Deleted { revocations })
    }

    async fn revoke_token(
        &self,
        id: ServiceAccountId,
        session: SessionId,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Revocation> {
        let mut state = self.open()?;
        let revocation = Revocation { target: RevocationTarget::Session(session), expires_at };
        state.revocations.push(revocation.clone());
        state.tell(AuditKind::TokenRevoked, id, context);
        Ok(revocation)
    }
}

impl State {
    /// The account with its good secrets.
    pub fn service_account(&self, id: ServiceAccountId, now: Timestamp) -> Option<ServiceAccount> {
        let row = self.service_accounts.get(&id)?;
        let secrets = row.secrets.iter().map(|secret| secret.life).filter(|life| life.is_good(now)).collect();
        Some(ServiceAccount { secrets, ..row.account.clone() })
    }

    fn tell(&mut self, kind: AuditKind, account: ServiceAccountId, context: &AuditContext) {
        self.record(AuditEvent::by_actor(kind, Some(account.into()), context), context);
    }
}

/// Ids of users and of service accounts are drawn from one space: `sub` is what is revoked.
fn revocation(id: ServiceAccountId, min_epoch: Epoch, expires_at: Timestamp) -> Revocation {
    Revocation { target: RevocationTarget::User { id: UserId::from_uuid(id.as_uuid()), min_epoch }, expires_at }
}
