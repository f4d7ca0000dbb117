//! Changes accounts at an administrator's word.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, SqlErr,
};

use super::invite::refused;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::email::Email;
use crate::domain::mail::MailKind;
use crate::domain::ports::AuditContext;
use crate::domain::user_change::{UpdateOutcome, UserUpdate};
use crate::store::db::database::Database;
use crate::store::db::email_changes::{forget_changes, notice};
use crate::store::db::entity::user::{self, Column};
use crate::store::db::fault::Fault;
use crate::store::db::identities::unlink_all;
use crate::store::db::one_time_tokens::end_tokens_of;
use crate::store::db::profiles;
use crate::store::db::users::{find_user, lock_user, stored_email};

impl Database {
    pub(super) async fn try_update_user(
        &self,
        update: &UserUpdate,
        context: &AuditContext,
    ) -> Result<UpdateOutcome, Fault> {
        let transaction = self.begin().await?;
        let Some(row) = lock_user(&transaction, update.id).await? else { return Ok(UpdateOutcome::Unknown) };
        if profiles::apply(&transaction, update.id, &update.profile, update.expected, context).await? == 0 {
            return Ok(UpdateOutcome::Moved);
        }
        let new_email = update.email.as_ref().filter(|email| email.as_str() != row.email);
        if let Some(email) = new_email {
            if is_taken(&transaction, &row, email).await? {
                transaction.rollback().await?;
                let refused = refused(AuditKind::EmailChanged, Some(update.id.into()), context);
                self.write_events(&self.writer, context, [refused]).await?;
                return Ok(UpdateOutcome::EmailTaken);
            }
            self.move_address(&transaction, &row, email, update, context).await?;
        }
        let mut events = events(update, &row, new_email.is_some(), context);
        if new_email.is_some_and(|email| !email.as_str().eq_ignore_ascii_case(&row.email)) {
            // Whoever had the address that is left may be somebody else than who has the new one.
            events.extend(unlink_all(&transaction, update.id, context).await?);
        }
        self.write_events(&transaction, context, events).await?;
        let user = find_user(&transaction, update.id).await?.ok_or(Fault::Corrupt("locked account"))?;
        transaction.commit().await?;
        Ok(UpdateOutcome::Updated(user))
    }

    /// Mailed tokens were sent to the address that is left: none outlives it.
    async fn move_address(
        &self,
        transaction: &DatabaseTransaction,
        row: &user::Model,
        email: &Email,
        update: &UserUpdate,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let is_verified = update.profile.email_verified.unwrap_or(false);
        write_address(transaction, row, email, is_verified).await?;
        end_tokens_of(transaction, update.id, context.at).await?;
        forget_changes(transaction, update.id).await?;
        let told = notice(MailKind::EmailChanged, row, stored_email(&row.email)?);
        self.queue_notice(transaction, &told, context).await?;
        if !is_verified {
            self.queue(transaction, MailKind::EmailVerification, email, context.at).await?;
        }
        Ok(())
    }
}

async fn is_taken(connection: &impl ConnectionTrait, row: &user::Model, email: &Email) -> Result<bool, DbErr> {
    let others = user::Entity::find().filter(Column::EmailKey.eq(email.key())).filter(Column::Id.ne(row.id));
    Ok(others.count(connection).await? > 0)
}

/// Who takes the address in between wins: the next try finds it taken.
async fn write_address(
    connection: &impl ConnectionTrait,
    row: &user::Model,
    email: &Email,
    is_verified: bool,
) -> Result<(), Fault> {
    let written = user::Entity::update_many()
        .col_expr(Column::Email, Expr::val(email.as_str()))
        .col_expr(Column::EmailKey, Expr::val(email.key()))
        .col_expr(Column::EmailVerified, Expr::val(is_verified))
        .filter(Column::Id.eq(row.id))
        .exec(connection)
        .await;
    match written {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Err(Fault::Contended),
        Err(error) => Err(error.into()),
    }
}

/// What changes beside the fields themselves is told too.
fn events(update: &UserUpdate, row: &user::Model, is_moved: bool, context: &AuditContext) -> Vec<AuditEvent> {
    let event = |kind| AuditEvent::by_actor(kind, Some(update.id.into()), context);
    let mut events = vec![AuditEvent { detail: Some(update.fields()), ..event(AuditKind::UserUpdated) }];
    if is_moved {
        events.push(event(AuditKind::EmailChanged));
    }
    if update.profile.email_verified == Some(true) && (is_moved || !row.email_verified) {
        events.push(event(AuditKind::EmailVerified));
    }
    events
}
