//! Changes second factors.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _,
};

use super::{count_try, find_factor, use_up};
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::mail::{MailOwner, Notice};
use crate::domain::name::Name;
use crate::domain::ports::AuditContext;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::second_factor::{FactorChange, FactorEdit, FactorOutcome, RecoveryCodeHash};
use crate::domain::user::Epoch;
use crate::store::db::audit;
use crate::store::db::database::Database;
use crate::store::db::entity::totp_factor::Column;
use crate::store::db::entity::{recovery_code, totp_factor, user};
use crate::store::db::fault::Fault;
use crate::store::db::users::{find_user, is_unchanged, lock_user, stored_email};
use crate::store::db::{revocations, sessions};

impl Database {
    pub(super) async fn try_change_factor(
        &self,
        change: &FactorChange,
        context: &AuditContext,
    ) -> Result<FactorOutcome, Fault> {
        let id = change.user;
        let transaction = self.begin().await?;
        let row = lock_user(&transaction, id).await?;
        let row = row.filter(|row| change.seen_epoch.is_none_or(|seen| is_unchanged(row, seen)));
        let Some(row) = row else { return Ok(FactorOutcome::UserChanged) };
        if let Some(session) = change.spared
            && !sessions::is_open(&transaction, id, session).await?
        {
            return Ok(FactorOutcome::UserChanged);
        }
        if let Some(opening) = &change.opening
            && count_try(&transaction, &opening.challenge, id, context.at).await?.is_none()
        {
            return Ok(FactorOutcome::ChallengeGone);
        }
        if !apply(&transaction, id, &change.edit, context.at).await? {
            return Ok(FactorOutcome::NotEnrolled);
        }
        let epoch = Epoch(row.epoch + 1);
        raise(&transaction, &row, epoch, context.at).await?;
        let ended = sessions::end_all_but(&transaction, id, change.spared, context.at).await?;
        if let (FactorEdit::Remove, Some(session)) = (&change.edit, change.spared) {
            sessions::forget_second_factor(&transaction, session).await?;
        }
        let target = RevocationTarget::User { id, min_epoch: epoch };
        let mut revoked = vec![Revocation { target, expires_at: change.revocation_expires_at }];
        revocations::write(&transaction, &revoked).await?;
        self.tell_change(&transaction, change, &row, &ended, context).await?;
        if let Some(opening) = &change.opening {
            use_up(&transaction, &opening.challenge).await?;
            revoked.extend(self.open_session(&transaction, &opening.session, &row, context).await?);
        }
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("user whose row is locked"))?;
        transaction.commit().await?;
        Ok(FactorOutcome::Changed { user, revocations: revoked, ended })
    }

    /// In the trail, and to the owner by mail.
    async fn tell_change(
        &self,
        transaction: &DatabaseTransaction,
        change: &FactorChange,
        row: &user::Model,
        ended: &[SessionId],
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let notice = Notice {
            kind: change.edit.notice(),
            owner: MailOwner { user_id: change.user, epoch: Epoch(row.epoch + 1) },
            to: stored_email(&row.email)?,
            device: Name::default(),
        };
        self.queue_notice(transaction, &notice, context).await?;
        let ends = ended.iter().map(|session| audit::session_ended(change.user, Some(*session), context));
        let events = std::iter::once(change.event(context)).chain(ends);
        Ok(self.write_events(transaction, context, events).await?)
    }
}

/// Whether there was what the edit needs.
async fn apply(
    transaction: &DatabaseTransaction,
    user: UserId,
    edit: &FactorEdit,
    at: Timestamp,
) -> Result<bool, DbErr> {
    match edit {
        FactorEdit::Enroll { sealed, step, codes } => {
            let row = totp_factor::ActiveModel {
                user_id: Set(user.as_uuid()),
                sealed: Set(sealed.clone()),
                enrolled_at: Set(at.as_millis()),
                last_step: Set(step.0),
                failures: Set(0),
                warned_at: Set(None),
            };
            let replaced = OnConflict::column(Column::UserId)
                .update_columns([Column::Sealed, Column::EnrolledAt, Column::LastStep, Column::Failures])
                .to_owned();
            totp_factor::Entity::insert(row).on_conflict(replaced).exec_without_returning(transaction).await?;
            replace_codes(transaction, user, codes).await?;
            Ok(true)
        }
        FactorEdit::ReplaceCodes(codes) => {
            // The user's row is locked: whoever removes the factor waits.
            let is_enrolled = find_factor(transaction, user).await?.is_some();
            if is_enrolled {
                replace_codes(transaction, user, codes).await?;
            }
            Ok(is_enrolled)
        }
        FactorEdit::Remove => forget_factor(transaction, user).await,
    }
}

/// Takes the factor away with its codes; whether there was one. Challenges end with the epoch.
pub(in crate::store::db) async fn forget_factor(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<bool, DbErr> {
    let gone = totp_factor::Entity::delete_by_id(user.as_uuid()).exec(connection).await?;
    replace_codes(connection, user, &[]).await?;
    Ok(gone.rows_affected == 1)
}

async fn replace_codes(
    connection: &impl ConnectionTrait,
    user: UserId,
    codes: &[RecoveryCodeHash],
) -> Result<(), DbErr> {
    let of_user = recovery_code::Column::UserId.eq(user.as_uuid());
    recovery_code::Entity::delete_many().filter(of_user).exec(connection).await?;
    if codes.is_empty() {
        return Ok(());
    }
    let row = |code: &RecoveryCodeHash| recovery_code::ActiveModel {
        user_id: Set(user.as_uuid()),
        hash: Set(code.0.to_vec()),
    };
    recovery_code::Entity::insert_many(codes.iter().map(row)).exec_without_returning(connection).await.map(|_| ())
}

async fn raise(connection: &impl ConnectionTrait, row: &user::Model, to: Epoch, at: Timestamp) -> Result<(), DbErr> {
    user::Entity::update_many()
        .col_expr(user::Column::Epoch, Expr::val(to.0))
        .col_expr(user::Column::Revision, Expr::col(user::Column::Revision).add(1))
        .col_expr(user::Column::UpdatedAt, Expr::val(at.as_millis()))
        .filter(user::Column::Id.eq(row.id))
        .exec(connection)
        .await
        .map(|_| ())
}
