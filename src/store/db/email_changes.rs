//! Changes of address.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _,
    SqlErr, TransactionTrait as _,
};

use super::audit;
use super::database::Database;
use super::entity::user::{self, Column};
use super::entity::{one_time_token, outbox};
use super::fault::Fault;
use super::one_time_tokens::{end_tokens, usable};
use super::sessions::is_open;
use super::users::{find_user, lock_user, stored_email};
use super::words::Word as _;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::email_change::{EmailChangeConfirmed, EmailChangeRequest, EmailChangeRequested};
use crate::domain::id::UserId;
use crate::domain::mail::{MailKind, MailOwner, Notice};
use crate::domain::name::Name;
use crate::domain::one_time_token::{TokenHash, TokenPurpose};
use crate::domain::ports::email_changes::EmailChanges;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user::{Epoch, UserState};

#[async_trait]
impl EmailChanges for Database {
    async fn request(&self, request: &EmailChangeRequest, context: &AuditContext) -> StoreResult<EmailChangeRequested> {
        self.run(|| self.try_request_change(request, context)).await
    }

    async fn confirm(&self, token: &TokenHash, context: &AuditContext) -> StoreResult<EmailChangeConfirmed> {
        self.run(|| self.try_confirm_change(token, context)).await
    }
}

impl Database {
    /// The same statements for every address.
    async fn try_request_change(
        &self,
        request: &EmailChangeRequest,
        context: &AuditContext,
    ) -> Result<EmailChangeRequested, Fault> {
        let transaction = self.begin().await?;
        let Some(user) = lock_user(&transaction, request.user_id).await? else {
            return Ok(EmailChangeRequested::Refused);
        };
        if user.state != UserState::Active.word() || !is_open(&transaction, request.user_id, request.session_id).await?
        {
            return Ok(EmailChangeRequested::Refused);
        }
        let others = user::Entity::find().filter(Column::EmailKey.eq(request.new_email.key()));
        let holder = others.filter(Column::Id.ne(user.id)).one(&transaction).await?;
        let notice = match holder {
            None => notice(MailKind::EmailChange, &user, request.new_email.clone()),
            Some(holder) => notice(MailKind::EmailChangeAttempt, &holder, stored_email(&holder.email)?),
        };
        self.queue_notice(&transaction, &notice, context).await?;
        let subject = Some(request.user_id.into());
        let requested = AuditEvent::by_actor(AuditKind::EmailChangeRequested, subject, context);
        self.write_events(&transaction, context, [requested]).await?;
        transaction.commit().await?;
        Ok(EmailChangeRequested::Queued)
    }

    async fn try_confirm_change(
        &self,
        hash: &TokenHash,
        context: &AuditContext,
    ) -> Result<EmailChangeConfirmed, Fault> {
        let transaction = self.begin().await?;
        let Some((row, new_email)) = use_up(&transaction, hash, context.at).await? else {
            self.tell_refusal(transaction, AuditKind::EmailChanged, context).await?;
            return Ok(EmailChangeConfirmed::Refused);
        };
        let id = UserId::from_uuid(row.id);
        if move_address(&transaction, &row, &new_email, context.at).await? == Moved::Taken {
            let refused = audit::failure(AuditKind::EmailChanged, Some(id), None);
            self.write_events(&transaction, context, [refused]).await?;
            transaction.commit().await?;
            return Ok(EmailChangeConfirmed::EmailTaken);
        }
        let of_user = Condition::all().add(one_time_token::Column::UserId.eq(row.id));
        end_tokens(&transaction, of_user, context.at).await?;
        forget_changes(&transaction, id).await?;
        let notice = notice(MailKind::EmailChanged, &row, stored_email(&row.email)?);
        self.queue_notice(&transaction, &notice, context).await?;
        self.write_events(&transaction, context, [audit::by_user(AuditKind::EmailChanged, id, None)]).await?;
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("user of a token"))?;
        transaction.commit().await?;
        Ok(EmailChangeConfirmed::Done(user))
    }
}

/// Forgets the changes of address that still wait to be mailed: each was asked for under another address.
pub(super) async fn forget_changes(connection: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    outbox::Entity::delete_many()
        .filter(outbox::Column::UserId.eq(user.as_uuid()))
        .filter(outbox::Column::Kind.eq(MailKind::EmailChange.word()))
        .exec(connection)
        .await
        .map(|_| ())
}

pub(super) fn notice(kind: MailKind, user: &user::Model, to: Email) -> Notice {
    let owner = MailOwner { user_id: UserId::from_uuid(user.id), epoch: Epoch(user.epoch) };
    Notice { kind, owner, to, device: Name::default() }
}

/// Uses the token up; its user, whose row stays locked, and the address that it gives. `None` if it opens nothing.
async fn use_up(
    transaction: &DatabaseTransaction,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<(user::Model, Email)>, Fault> {
    let usable = || usable(hash, TokenPurpose::EmailChange, now);
    let token = one_time_token::Entity::find().filter(usable()).one(transaction).await?;
    let Some(token) = token else { return Ok(None) };
    let Some(user) = lock_user(transaction, UserId::from_uuid(token.user_id)).await? else { return Ok(None) };
    if user.state != UserState::Active.word() || token.user_epoch != Some(user.epoch) {
        return Ok(None);
    }
    if end_tokens(transaction, usable(), now).await? != 1 {
        return Ok(None);
    }
    let new_email = token.new_email.ok_or(Fault::Corrupt("address of a token"))?;
    Ok(Some((user, stored_email(&new_email)?)))
}

/// Whether the account got the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    Done,
    Taken,
}

/// The unique index decides who has an address. In a savepoint: the transaction, which has used the token up, goes on
/// where the address is taken.
async fn move_address(
    transaction: &DatabaseTransaction,
    user: &user::Model,
    new_email: &Email,
    at: Timestamp,
) -> Result<Moved, Fault> {
    let savepoint = transaction.begin().await?;
    let update = user::Entity::update_many()
        .col_expr(Column::Email, Expr::val(new_email.as_str()))
        .col_expr(Column::EmailKey, Expr::val(new_email.key()))
        .col_expr(Column::EmailVerified, Expr::val(true))
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(at.as_millis()))
        .filter(Column::Id.eq(user.id))
        .exec(&savepoint)
        .await;
    match update {
        Ok(_) => {
            savepoint.commit().await?;
            Ok(Moved::Done)
        }
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            savepoint.rollback().await?;
            Ok(Moved::Taken)
        }
        Err(error) => Err(error.into()),
    }
}
