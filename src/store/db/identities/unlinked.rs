//! Identities that are taken from accounts, and which of them an address does not bring back.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
};
use uuid::Uuid;

use super::told;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::id::UserId;
use crate::domain::identity::Identity;
use crate::domain::ports::AuditContext;
use crate::store::db::entity::identity;
use crate::store::db::entity::unlinked_identity::{ActiveModel, Entity};

/// Takes every identity from a user whose row is locked; the events of it.
pub(in crate::store::db) async fn unlink_all(
    connection: &impl ConnectionTrait,
    user: UserId,
    context: &AuditContext,
) -> Result<Vec<AuditEvent>, DbErr> {
    let gone = identity::Entity::delete_many().filter(of(user)).exec_with_returning(connection).await?;
    Ok(gone.iter().map(|row| told(AuditKind::IdentityUnlinked, user, &row.provider, context)).collect())
}

/// The same, and none of them comes back by the account's address.
pub(in crate::store::db) async fn unlink_all_for_good(
    connection: &impl ConnectionTrait,
    user: UserId,
    context: &AuditContext,
) -> Result<Vec<AuditEvent>, DbErr> {
    let all = identity::Entity::find().filter(of(user)).all(connection).await?;
    bar(connection, &all).await?;
    unlink_all(connection, user, context).await
}

fn of(user: UserId) -> Expr {
    identity::Column::UserId.eq(user.as_uuid())
}

/// Remembers that the identities were taken from their accounts.
pub(super) async fn bar(connection: &impl ConnectionTrait, gone: &[identity::Model]) -> Result<(), DbErr> {
    if gone.is_empty() {
        return Ok(());
    }
    let row = |gone: &identity::Model| ActiveModel {
        user_id: Set(gone.user_id),
        issuer: Set(gone.issuer.clone()),
        subject: Set(gone.subject.clone()),
    };
    Entity::insert_many(gone.iter().map(row)).exec_without_returning(connection).await.map(|_| ())
}

/// Whether the identity was taken from the user's account.
pub(super) async fn is_barred(
    connection: &impl ConnectionTrait,
    user: Uuid,
    identity: &Identity,
) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(key(user, identity)).count(connection).await? > 0)
}

/// Forgets that it was.
pub(super) async fn unbar(connection: &impl ConnectionTrait, user: Uuid, identity: &Identity) -> Result<(), DbErr> {
    Entity::delete_by_id(key(user, identity)).exec(connection).await.map(|_| ())
}

fn key(user: Uuid, identity: &Identity) -> (Uuid, String, String) {
    (user, identity.issuer.as_str().to_owned(), identity.subject.as_str().to_owned())
}
