//! Roles.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, TryInsertResult,
};

use super::database::Database;
use super::entity::{role, service_account_role, user_role};
use super::fault::Fault;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::ports::roles::{MAX_ROLES, RoleCreation, RoleDeletion, Roles};
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::role::{Role, RoleDescription, RoleName};
use crate::domain::user::ROLE_ADMIN;

#[async_trait]
impl Roles for Database {
    async fn create(&self, role: &Role, context: &AuditContext) -> StoreResult<RoleCreation> {
        self.run(|| self.try_create_role(role, context)).await
    }

    async fn list(&self) -> StoreResult<Vec<Role>> {
        self.run(|| async {
            let rows = role::Entity::find().order_by_asc(role::Column::Name).all(&self.reader).await?;
            rows.iter().map(stored_role).collect()
        })
        .await
    }

    async fn delete(&self, name: &RoleName, context: &AuditContext) -> StoreResult<RoleDeletion> {
        self.run(|| self.try_delete_role(name, context)).await
    }
}

impl Database {
    async fn try_create_role(&self, role: &Role, context: &AuditContext) -> Result<RoleCreation, Fault> {
        let transaction = self.begin().await?;
        // Whoever creates a role waits here for the one before: none is counted too late.
        lock_administrators(&transaction).await?;
        let unless_taken = OnConflict::column(role::Column::Name).do_nothing().to_owned();
        let row = role::ActiveModel {
            name: Set(role.name.as_str().to_owned()),
            description: Set(role.description.as_str().to_owned()),
            built_in: Set(false),
            created_at: Set(role.created_at.as_millis()),
        };
        let insert = role::Entity::insert(row).on_conflict(unless_taken).try_insert();
        match insert.exec_without_returning(&transaction).await? {
            TryInsertResult::Inserted(1) => {}
            TryInsertResult::Inserted(_) | TryInsertResult::Conflicted | TryInsertResult::Empty => {
                return Ok(RoleCreation::Taken);
            }
        }
        if role::Entity::find().count(&transaction).await? > MAX_ROLES {
            return Ok(RoleCreation::TooMany);
        }
        self.write_events(&transaction, context, [event(AuditKind::RoleCreated, &role.name, context)]).await?;
        transaction.commit().await?;
        Ok(RoleCreation::Created)
    }

    async fn try_delete_role(&self, name: &RoleName, context: &AuditContext) -> Result<RoleDeletion, Fault> {
        let transaction = self.begin().await?;
        let row = role::Entity::find_by_id(name.as_str()).lock(LockType::Update).one(&transaction).await?;
        if row.is_none_or(|row| row.built_in) {
            return Ok(RoleDeletion::Unknown);
        }
        if is_held(&transaction, name).await? {
            return Ok(RoleDeletion::InUse);
        }
        role::Entity::delete_by_id(name.as_str()).exec(&transaction).await?;
        self.write_events(&transaction, context, [event(AuditKind::RoleDeleted, name, context)]).await?;
        transaction.commit().await?;
        Ok(RoleDeletion::Deleted)
    }
}

async fn is_held(connection: &impl ConnectionTrait, name: &RoleName) -> Result<bool, DbErr> {
    let of_users = user_role::Entity::find().filter(user_role::Column::Role.eq(name.as_str()));
    let of_machines = service_account_role::Entity::find().filter(service_account_role::Column::Role.eq(name.as_str()));
    Ok(of_users.one(connection).await?.is_some() || of_machines.one(connection).await?.is_some())
}

/// Whether every one of the roles exists; none of them goes until the transaction ends.
pub(super) async fn hold_roles(connection: &impl ConnectionTrait, names: &[RoleName]) -> Result<bool, DbErr> {
    let held = held_roles(connection, names).await?;
    Ok(names.iter().all(|name| held.contains(name.as_str())))
}

/// Those of the roles that exist; none of them goes until the transaction ends.
pub(super) async fn held_roles(
    connection: &impl ConnectionTrait,
    names: impl IntoIterator<Item = &RoleName>,
) -> Result<BTreeSet<String>, DbErr> {
    let distinct: BTreeSet<&str> = names.into_iter().map(RoleName::as_str).collect();
    if distinct.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = role::Entity::find()
        .filter(role::Column::Name.is_in(distinct))
        .order_by_asc(role::Column::Name)
        .lock(LockType::KeyShare)
        .all(connection)
        .await?;
    Ok(found.into_iter().map(|role| role.name).collect())
}

/// Makes those who might take the last administrator away go one after the other. Taken before any user's row.
pub(super) async fn lock_administrators(connection: &impl ConnectionTrait) -> Result<(), Fault> {
    let guard = role::Entity::find_by_id(ROLE_ADMIN).lock(LockType::NoKeyUpdate).one(connection).await?;
    guard.map(|_| ()).ok_or(Fault::Corrupt("roles without the administrator's"))
}

fn event(kind: AuditKind, name: &RoleName, context: &AuditContext) -> AuditEvent {
    AuditEvent { detail: Some(name.to_string()), ..AuditEvent::by_actor(kind, None, context) }
}

fn stored_role(row: &role::Model) -> Result<Role, Fault> {
    Ok(Role {
        name: RoleName::parse(&row.name).map_err(|_| Fault::Corrupt("role"))?,
        description: RoleDescription::parse(&row.description).map_err(|_| Fault::Corrupt("description of a role"))?,
        created_at: Timestamp::from_millis(row.created_at),
    })
}
