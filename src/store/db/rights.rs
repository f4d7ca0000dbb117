//! What accounts may do: roles, state, and whether they are there at all.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    JoinType, QueryFilter as _, QuerySelect as _, RelationTrait as _,
};

use super::attempts::forget_account;
use super::database::Database;
use super::entity::{audit_event, outbox, user, user_role};
use super::fault::Fault;
use super::roles::{hold_roles, lock_administrators};
use super::users::{find_user, locked_user};
use super::words::Word as _;
use super::{revocations, sessions};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::rights::Rights;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::rights::{DeletionOutcome, RightsChange, RightsOutcome, UserDeletion, sessions_ended};
use crate::domain::user::{Epoch, ROLE_ADMIN, User, UserState};

#[async_trait]
impl Rights for Database {
    async fn change(
        &self,
        user: UserId,
        change: &RightsChange,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<RightsOutcome> {
        self.run(|| self.try_change_rights(user, change, revocations_expire_at, context)).await
    }

    async fn delete(&self, deletion: UserDeletion, context: &AuditContext) -> StoreResult<DeletionOutcome> {
        self.run(|| self.try_delete_user(&deletion, context)).await
    }
}

impl Database {
    /// Locks in one order whatever the change: the administrators, the role, the user.
    async fn try_change_rights(
        &self,
        id: UserId,
        change: &RightsChange,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> Result<RightsOutcome, Fault> {
        let transaction = self.begin().await?;
        if change.demotes() {
            lock_administrators(&transaction).await?;
        }
        if let RightsChange::Grant(role) | RightsChange::Revoke(role) = change
            && !hold_roles(&transaction, std::slice::from_ref(role)).await?
        {
            return Ok(RightsOutcome::RoleUnknown);
        }
        let Some(user) = locked_user(&transaction, id).await? else { return Ok(RightsOutcome::UserUnknown) };
        if change.is_done(&user) {
            return Ok(RightsOutcome::Unchanged(user));
        }
        if change.is_too_many(&user) {
            return Ok(RightsOutcome::TooManyRoles);
        }
        if change.demotes() && is_last_administrator(&transaction, &user).await? {
            return Ok(RightsOutcome::LastAdmin);
        }
        let ended = apply(&transaction, &user, change, context.at).await?;
        let revocations = revoke(&transaction, &user, change, revocations_expire_at).await?;
        let events = [change.event(id, context)].into_iter().chain(sessions_ended(id, &ended, context));
        self.write_events(&transaction, context, events).await?;
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("user whose row is locked"))?;
        transaction.commit().await?;
        Ok(RightsOutcome::Changed { user, revocations, ended })
    }

    async fn try_delete_user(&self, deletion: &UserDeletion, context: &AuditContext) -> Result<DeletionOutcome, Fault> {
        let transaction = self.begin().await?;
        lock_administrators(&transaction).await?;
        let Some(user) = locked_user(&transaction, deletion.user).await? else {
            return Ok(DeletionOutcome::UserUnknown);
        };
        if is_last_administrator(&transaction, &user).await? {
            return Ok(DeletionOutcome::LastAdmin);
        }
        let target = RevocationTarget::User { id: user.id, min_epoch: next(user.epoch) };
        let revocations = vec![Revocation { target, expires_at: deletion.revocations_expire_at }];
        revocations::write(&transaction, &revocations).await?;
        forget_account(&transaction, deletion.account_key).await?;
        outbox::Entity::delete_many().filter(outbox::Column::EmailKey.eq(user.email.key())).exec(&transaction).await?;
        // Roles, sessions, mailed tokens and mails to other addresses go with it.
        user::Entity::delete_by_id(user.id.as_uuid()).exec(&transaction).await?;
        let told = AuditEvent::by_actor(AuditKind::UserDeleted, Some(user.id.into()), context);
        self.write_events(&transaction, context, [told]).await?;
        blank_sources(&transaction, user.id).await?;
        transaction.commit().await?;
        Ok(DeletionOutcome::Deleted { revocations })
    }
}

/// Whether nobody else is an administrator who can sign in. The administrators are locked.
async fn is_last_administrator(transaction: &DatabaseTransaction, user: &User) -> Result<bool, DbErr> {
    let is_administrator = user.roles.iter().any(|role| role == ROLE_ADMIN);
    if !is_administrator || user.state != UserState::Active {
        return Ok(false);
    }
    let another = user_role::Entity::find()
        .join(JoinType::InnerJoin, user_role::Relation::User.def())
        .filter(user_role::Column::Role.eq(ROLE_ADMIN))
        .filter(user_role::Column::UserId.ne(user.id.as_uuid()))
        .filter(user::Column::State.eq(UserState::Active.word()))
        .filter(user::Column::PasswordHash.is_not_null())
        .one(transaction)
        .await?;
    Ok(another.is_none())
}

/// Writes the change to the account; the sessions that ended with it.
async fn apply(
    transaction: &DatabaseTransaction,
    user: &User,
    change: &RightsChange,
    at: Timestamp,
) -> Result<Vec<SessionId>, Fault> {
    let mut update = user::Entity::update_many()
        .col_expr(user::Column::Revision, Expr::col(user::Column::Revision).add(1))
        .col_expr(user::Column::UpdatedAt, Expr::val(at.as_millis()))
        .filter(user::Column::Id.eq(user.id.as_uuid()));
    if change.revokes_tokens() {
        update = update.col_expr(user::Column::Epoch, Expr::val(next(user.epoch).0));
    }
    let mut ended = Vec::new();
    match change {
        RightsChange::Grant(role) => {
            let row = user_role::ActiveModel { user_id: Set(user.id.as_uuid()), role: Set(role.to_string()) };
            user_role::Entity::insert(row).exec_without_returning(transaction).await?;
        }
        RightsChange::Revoke(role) => {
            user_role::Entity::delete_by_id((user.id.as_uuid(), role.to_string())).exec(transaction).await?;
        }
        RightsChange::Disable => {
            update = update.col_expr(user::Column::State, Expr::val(UserState::Disabled.word()));
            ended = sessions::end_all(transaction, user.id, at).await?;
        }
        RightsChange::Enable => {
            update = update.col_expr(user::Column::State, Expr::val(UserState::Active.word()));
        }
    }
    update.exec(transaction).await?;
    Ok(ended)
}

async fn revoke(
    transaction: &DatabaseTransaction,
    user: &User,
    change: &RightsChange,
    expires_at: Timestamp,
) -> Result<Vec<Revocation>, DbErr> {
    if !change.revokes_tokens() {
        return Ok(Vec::new());
    }
    let target = RevocationTarget::User { id: user.id, min_epoch: next(user.epoch) };
    let revocations = vec![Revocation { target, expires_at }];
    revocations::write(transaction, &revocations).await?;
    Ok(revocations)
}

/// Where the user came from is theirs; where an administrator came from who did something to them is not.
async fn blank_sources(connection: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    let id = user.as_uuid();
    let of_strangers =
        Condition::all().add(audit_event::Column::Subject.eq(id)).add(audit_event::Column::Actor.is_null());
    audit_event::Entity::update_many()
        .col_expr(audit_event::Column::Source, Expr::value(Option::<String>::None))
        .filter(Condition::any().add(audit_event::Column::Actor.eq(id)).add(of_strangers))
        .exec(connection)
        .await
        .map(|_| ())
}

fn next(epoch: Epoch) -> Epoch {
    Epoch(epoch.0 + 1)
}
