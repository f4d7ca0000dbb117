//! Service accounts as they are stored.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use crate::domain::clock::Timestamp;
use crate::domain::id::ServiceAccountId;
use crate::domain::role::RoleName;
use crate::domain::service_account::{SecretHash, SecretLife, ServiceAccount};
use crate::domain::user::Epoch;
use crate::store::db::entity::{service_account, service_account_role, service_account_secret};
use crate::store::db::fault::Fault;
use crate::store::db::users::stored_name;
use crate::store::db::words::parse_list;

pub async fn find(
    connection: &impl ConnectionTrait,
    id: ServiceAccountId,
    now: Timestamp,
) -> Result<Option<ServiceAccount>, Fault> {
    let row = service_account::Entity::find_by_id(id.as_uuid()).one(connection).await?;
    Ok(complete(connection, row.into_iter().collect(), now).await?.pop())
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    after: Option<ServiceAccountId>,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<ServiceAccount>, Fault> {
    // Ids sort by the time of creation.
    let mut query = service_account::Entity::find().order_by_asc(service_account::Column::Id).limit(u64::from(limit));
    if let Some(after) = after {
        query = query.filter(service_account::Column::Id.gt(after.as_uuid()));
    }
    complete(connection, query.all(connection).await?, now).await
}

pub(super) async fn find_by_secret(
    connection: &impl ConnectionTrait,
    id: ServiceAccountId,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<ServiceAccount>, Fault> {
    let found = service_account_secret::Entity::find()
        .filter(service_account_secret::Column::Hash.eq(secret.0.to_vec()))
        .filter(service_account_secret::Column::ServiceAccountId.eq(id.as_uuid()))
        .filter(good(now))
        .one(connection)
        .await?;
    match found {
        Some(_) => find(connection, id, now).await,
        None => Ok(None),
    }
}

/// Adds roles and secrets, in one question each however many accounts there are.
async fn complete(
    connection: &impl ConnectionTrait,
    rows: Vec<service_account::Model>,
    now: Timestamp,
) -> Result<Vec<ServiceAccount>, Fault> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut roles: HashMap<Uuid, Vec<RoleName>> = HashMap::new();
    let found = service_account_role::Entity::find()
        .filter(service_account_role::Column::ServiceAccountId.is_in(ids.iter().copied()))
        .order_by_asc(service_account_role::Column::Role)
        .all(connection)
        .await?;
    for row in found {
        let name = RoleName::parse(&row.role).map_err(|_| Fault::Corrupt("role"))?;
        roles.entry(row.service_account_id).or_default().push(name);
    }
    let mut secrets: HashMap<Uuid, Vec<SecretLife>> = HashMap::new();
    let found = service_account_secret::Entity::find()
        .filter(service_account_secret::Column::ServiceAccountId.is_in(ids))
        .filter(good(now))
        .order_by_desc(service_account_secret::Column::CreatedAt)
        .all(connection)
        .await?;
    for row in found {
        secrets.entry(row.service_account_id).or_default().push(life(&row));
    }
    let account = |row: service_account::Model| {
        Ok(ServiceAccount {
            roles: roles.remove(&row.id).unwrap_or_default(),
            secrets: secrets.remove(&row.id).unwrap_or_default(),
            id: ServiceAccountId::from_uuid(row.id),
            display_name: stored_name(&row.display_name)?,
            audiences: parse_list(&row.audiences)?,
            epoch: Epoch(row.epoch),
            created_at: Timestamp::from_millis(row.created_at),
        })
    };
    rows.into_iter().map(account).collect()
}

/// Those that have not expired.
pub(super) fn good(now: Timestamp) -> Condition {
    let column = service_account_secret::Column::ExpiresAt;
    Condition::any().add(column.is_null()).add(column.gt(now.as_millis()))
}

fn life(row: &service_account_secret::Model) -> SecretLife {
    SecretLife {
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: row.expires_at.map(Timestamp::from_millis),
    }
}
