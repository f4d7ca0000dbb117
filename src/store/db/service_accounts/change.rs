//! Changes to service accounts.

use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, DatabaseTransaction, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QuerySelect as _, QueryTrait as _,
};

use super::read::find;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::{ServiceAccountId, SessionId, UserId};
use crate::domain::ports::AuditContext;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::rights::roles_granted;
use crate::domain::service_account::{
    MAX_SECRETS, NewServiceAccount, SecretHash, SecretRotation, SecretRotationOutcome, ServiceAccountCreation,
    ServiceAccountDeletion,
};
use crate::domain::user::Epoch;
use crate::store::db::database::Database;
use crate::store::db::entity::{service_account, service_account_role, service_account_secret};
use crate::store::db::fault::Fault;
use crate::store::db::revocations;
use crate::store::db::roles::hold_roles;
use crate::store::db::words::list;

impl Database {
    pub(super) async fn try_create_service_account(
        &self,
        new: &NewServiceAccount,
        context: &AuditContext,
    ) -> Result<ServiceAccountCreation, Fault> {
        let transaction = self.begin().await?;
        if !hold_roles(&transaction, &new.roles).await? {
            return Ok(ServiceAccountCreation::RoleUnknown);
        }
        let row = service_account::ActiveModel {
            id: Set(new.id.as_uuid()),
            display_name: Set(new.display_name.as_str().to_owned()),
            audiences: Set(list(&new.audiences)),
            epoch: Set(Epoch::default().0),
            created_at: Set(context.at.as_millis()),
        };
        service_account::Entity::insert(row).exec_without_returning(&transaction).await?;
        let roles = new.roles.iter().map(|role| service_account_role::ActiveModel {
            service_account_id: Set(new.id.as_uuid()),
            role: Set(role.to_string()),
        });
        if !new.roles.is_empty() {
            service_account_role::Entity::insert_many(roles).exec_without_returning(&transaction).await?;
        }
        insert_secret(&transaction, new.id, new.secret, context.at).await?;
        let told = AuditEvent::by_actor(AuditKind::ServiceAccountCreated, Some(new.id.into()), context);
        let granted = roles_granted(new.id.into(), &new.roles, context);
        self.write_events(&transaction, context, std::iter::once(told).chain(granted)).await?;
        let created = find(&transaction, new.id, context.at).await?.ok_or(Fault::Corrupt("new service account"))?;
        transaction.commit().await?;
        Ok(ServiceAccountCreation::Created(created))
    }

    pub(super) async fn try_rotate_secret(
        &self,
        rotation: &SecretRotation,
        context: &AuditContext,
    ) -> Result<SecretRotationOutcome, Fault> {
        let transaction = self.begin().await?;
        let Some(row) = lock(&transaction, rotation.account).await? else {
            return Ok(SecretRotationOutcome::Unknown);
        };
        let overlaps = rotation.overlap_ends_at > context.at;
        end_secrets(&transaction, rotation.account, overlaps.then_some(context.at)).await?;
        if shorten_secrets(&transaction, rotation).await? >= MAX_SECRETS {
            return Ok(SecretRotationOutcome::TooManySecrets);
        }
        insert_secret(&transaction, rotation.account, rotation.secret, context.at).await?;
        let mut revocations = Vec::new();
        if !overlaps {
            raise_epoch(&transaction, &row).await?;
            revocations = revoke_tokens(&transaction, &row, rotation.revocations_expire_at).await?;
        }
        let told = AuditEvent::by_actor(AuditKind::ServiceAccountSecretRotated, Some(rotation.account.into()), context);
        self.write_events(&transaction, context, [told]).await?;
        let account = find(&transaction, rotation.account, context.at).await?;
        let account = account.ok_or(Fault::Corrupt("service account whose row is locked"))?;
        transaction.commit().await?;
        Ok(SecretRotationOutcome::Rotated { account, revocations })
    }

    pub(super) async fn try_delete_service_account(
        &self,
        id: ServiceAccountId,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> Result<ServiceAccountDeletion, Fault> {
        let transaction = self.begin().await?;
        let Some(row) = lock(&transaction, id).await? else { return Ok(ServiceAccountDeletion::Unknown) };
        let revocations = revoke_tokens(&transaction, &row, expires_at).await?;
        service_account::Entity::delete_by_id(id.as_uuid()).exec(&transaction).await?;
        let told = AuditEvent::by_actor(AuditKind::ServiceAccountDeleted, Some(id.into()), context);
        self.write_events(&transaction, context, [told]).await?;
        transaction.commit().await?;
        Ok(ServiceAccountDeletion::Deleted { revocations })
    }

    pub(super) async fn try_revoke_service_token(
        &self,
        id: ServiceAccountId,
        session: SessionId,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> Result<Revocation, Fault> {
        let transaction = self.begin().await?;
        let revocation = Revocation { target: RevocationTarget::Session(session), expires_at };
        revocations::write(&transaction, std::slice::from_ref(&revocation)).await?;
        let told = AuditEvent::by_actor(AuditKind::TokenRevoked, Some(id.into()), context);
        self.write_events(&transaction, context, [told]).await?;
        transaction.commit().await?;
        Ok(revocation)
    }
}

async fn lock(
    transaction: &DatabaseTransaction,
    id: ServiceAccountId,
) -> Result<Option<service_account::Model>, DbErr> {
    service_account::Entity::find_by_id(id.as_uuid()).lock(LockType::NoKeyUpdate).one(transaction).await
}

/// Refuses every token that the account has out by now.
async fn revoke_tokens(
    transaction: &DatabaseTransaction,
    row: &service_account::Model,
    expires_at: Timestamp,
) -> Result<Vec<Revocation>, DbErr> {
    // Ids of users and of service accounts are drawn from one space: `sub` is what is revoked.
    let target = RevocationTarget::User { id: UserId::from_uuid(row.id), min_epoch: Epoch(row.epoch + 1) };
    let revocations = vec![Revocation { target, expires_at }];
    revocations::write(transaction, &revocations).await?;
    Ok(revocations)
}

async fn raise_epoch(transaction: &DatabaseTransaction, row: &service_account::Model) -> Result<(), DbErr> {
    service_account::Entity::update_many()
        .col_expr(service_account::Column::Epoch, Expr::val(row.epoch + 1))
        .filter(service_account::Column::Id.eq(row.id))
        .exec(transaction)
        .await
        .map(|_| ())
}

/// Deletes the secrets that have expired by then, or all.
async fn end_secrets(
    transaction: &DatabaseTransaction,
    account: ServiceAccountId,
    expired_by: Option<Timestamp>,
) -> Result<(), DbErr> {
    use service_account_secret::Column;
    service_account_secret::Entity::delete_many()
        .filter(Column::ServiceAccountId.eq(account.as_uuid()))
        .apply_if(expired_by, |delete, now| delete.filter(Column::ExpiresAt.lte(now.as_millis())))
        .exec(transaction)
        .await
        .map(|_| ())
}

/// Those that are left last for the overlap at most: the newest had no end yet, the others may have an earlier one that a
/// rotation before this has given them. How many there are.
async fn shorten_secrets(transaction: &DatabaseTransaction, rotation: &SecretRotation) -> Result<u64, DbErr> {
    use service_account_secret::Column::{ExpiresAt, ServiceAccountId};
    let of_account = ServiceAccountId.eq(rotation.account.as_uuid());
    let overlap_ends_at = rotation.overlap_ends_at.as_millis();
    service_account_secret::Entity::update_many()
        .col_expr(ExpiresAt, Expr::val(overlap_ends_at))
        .filter(of_account.clone())
        .filter(Condition::any().add(ExpiresAt.is_null()).add(ExpiresAt.gt(overlap_ends_at)))
        .exec(transaction)
        .await?;
    service_account_secret::Entity::find().filter(of_account).count(transaction).await
}

async fn insert_secret(
    transaction: &DatabaseTransaction,
    account: ServiceAccountId,
    secret: SecretHash,
    now: Timestamp,
) -> Result<(), DbErr> {
    let row = service_account_secret::ActiveModel {
        hash: Set(secret.0.to_vec()),
        service_account_id: Set(account.as_uuid()),
        created_at: Set(now.as_millis()),
        expires_at: Set(None),
    };
    service_account_secret::Entity::insert(row).exec_without_returning(transaction).await.map(|_| ())
}
