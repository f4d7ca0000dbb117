//! Completes sign-ins.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _,
};

use super::{count_try, use_up};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::mail::{MailKind, MailOwner, Notice};
use crate::domain::ports::AuditContext;
use crate::domain::second_factor::{
    COMPLETION, Completion, CompletionOutcome, MAX_WRONG_CODES, Proof, RecoveryCodeHash, TotpStep, WARNING_PAUSE,
};
use crate::store::db::audit;
use crate::store::db::database::Database;
use crate::store::db::entity::totp_factor::Column;
use crate::store::db::entity::{recovery_code, totp_factor, user};
use crate::store::db::fault::Fault;
use crate::store::db::users::{is_unchanged, lock_user, stored_email};

impl Database {
    /// A try is counted before its code is judged, and the user's row stays locked: no two are judged at once.
    pub(super) async fn try_complete(
        &self,
        completion: &Completion,
        context: &AuditContext,
    ) -> Result<CompletionOutcome, Fault> {
        let id = completion.session.session.user_id;
        let transaction = self.begin().await?;
        let user = lock_user(&transaction, id).await?;
        let user = user.filter(|user| is_unchanged(user, completion.session.seen_epoch));
        let Some(user) = user else {
            self.tell_refused(transaction, None, context).await?;
            return Ok(CompletionOutcome::Gone);
        };
        let Some(tries) = count_try(&transaction, &completion.challenge, id, context.at).await? else {
            self.tell_refused(transaction, Some(id), context).await?;
            return Ok(CompletionOutcome::Gone);
        };
        if !holds(&transaction, id, completion).await? {
            count_failure(&transaction, id).await?;
            let is_last = tries >= i64::from(MAX_WRONG_CODES);
            if is_last {
                self.tell_exhausted(&transaction, completion, &user, context).await?;
            }
            self.tell_refused(transaction, Some(id), context).await?;
            return Ok(CompletionOutcome::WrongCode { is_last });
        }
        use_up(&transaction, &completion.challenge).await?;
        let revocations = self.open_session(&transaction, &completion.session, &user, context).await?;
        if matches!(completion.proof, Proof::RecoveryCode(_)) {
            self.tell_recovery(&transaction, completion, &user, context).await?;
        }
        transaction.commit().await?;
        Ok(CompletionOutcome::Completed { revocations })
    }

    async fn tell_refused(
        &self,
        transaction: DatabaseTransaction,
        user: Option<UserId>,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let failed = audit::failure(AuditKind::LoginFailed, user, None);
        let told = AuditEvent { detail: Some(COMPLETION.to_owned()), ..failed };
        self.write_events(&transaction, context, [told]).await?;
        Ok(transaction.commit().await?)
    }

    /// In the trail each time, to the owner by mail not more often than so.
    async fn tell_exhausted(
        &self,
        transaction: &DatabaseTransaction,
        completion: &Completion,
        user: &user::Model,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let id = completion.session.session.user_id;
        self.write_events(transaction, context, [audit::failure(AuditKind::ChallengeExhausted, Some(id), None)])
            .await?;
        if !claim_warning(transaction, id, context.at).await? {
            return Ok(());
        }
        self.notify(transaction, MailKind::WrongCodes, completion, user, context).await
    }

    async fn tell_recovery(
        &self,
        transaction: &DatabaseTransaction,
        completion: &Completion,
        user: &user::Model,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let session = &completion.session.session;
        let event = audit::by_user(AuditKind::RecoveryCodeUsed, session.user_id, Some(session.id));
        self.write_events(transaction, context, [event]).await?;
        self.notify(transaction, MailKind::RecoveryCodeUsed, completion, user, context).await
    }

    /// Tells the owner by mail, with the device that the sign-in names.
    async fn notify(
        &self,
        transaction: &DatabaseTransaction,
        kind: MailKind,
        completion: &Completion,
        user: &user::Model,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let new = &completion.session;
        let notice = Notice {
            kind,
            owner: MailOwner { user_id: new.session.user_id, epoch: new.seen_epoch },
            to: stored_email(&user.email)?,
            device: new.session.device_name.clone(),
        };
        Ok(self.queue_notice(transaction, &notice, context).await?)
    }
}

/// Whether the proof holds; it is used up by that, and the failures in a row are forgotten.
async fn holds(connection: &impl ConnectionTrait, user: UserId, completion: &Completion) -> Result<bool, DbErr> {
    match &completion.proof {
        Proof::Totp { sealed, step } => use_step(connection, user, sealed, *step, completion.max_failures).await,
        Proof::RecoveryCode(hash) => use_code(connection, user, hash).await,
        Proof::Wrong => Ok(false),
    }
}

/// A compare-and-swap of the last step, if the authenticator is the one that the code was judged by.
async fn use_step(
    connection: &impl ConnectionTrait,
    user: UserId,
    sealed: &[u8],
    step: TotpStep,
    max_failures: u32,
) -> Result<bool, DbErr> {
    let moved = totp_factor::Entity::update_many()
        .col_expr(Column::LastStep, Expr::val(step.0))
        .col_expr(Column::Failures, Expr::val(0_i64))
        .filter(Column::UserId.eq(user.as_uuid()))
        .filter(Column::Sealed.eq(sealed.to_vec()))
        .filter(Column::LastStep.lt(step.0))
        .filter(Column::Failures.lt(i64::from(max_failures)))
        .exec(connection)
        .await?;
    Ok(moved.rows_affected == 1)
}

async fn use_code(connection: &impl ConnectionTrait, user: UserId, hash: &RecoveryCodeHash) -> Result<bool, DbErr> {
    let key = (user.as_uuid(), hash.0.to_vec());
    let gone = recovery_code::Entity::delete_by_id(key).exec(connection).await?;
    if gone.rows_affected == 0 {
        return Ok(false);
    }
    let forgiven = totp_factor::Entity::update_many().col_expr(Column::Failures, Expr::val(0_i64));
    forgiven.filter(Column::UserId.eq(user.as_uuid())).exec(connection).await?;
    Ok(true)
}

async fn count_failure(connection: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    totp_factor::Entity::update_many()
        .col_expr(Column::Failures, Expr::col(Column::Failures).add(1))
        .filter(Column::UserId.eq(user.as_uuid()))
        .exec(connection)
        .await
        .map(|_| ())
}

/// Whether the owner is to be warned now; then it is noted that they were.
async fn claim_warning(connection: &impl ConnectionTrait, user: UserId, now: Timestamp) -> Result<bool, DbErr> {
    let last = now.before(WARNING_PAUSE).as_millis();
    let is_due = Condition::any().add(Column::WarnedAt.is_null()).add(Column::WarnedAt.lte(last));
    let claimed = totp_factor::Entity::update_many()
        .col_expr(Column::WarnedAt, Expr::val(now.as_millis()))
        .filter(Column::UserId.eq(user.as_uuid()))
        .filter(is_due)
        .exec(connection)
        .await?;
    Ok(claimed.rows_affected == 1)
}
