//! Passwords, and what ends with them.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _};

use super::attempts::{forget_account, remember_source};
use super::audit;
use super::database::Database;
use super::entity::user::{self, Column};
use super::fault::Fault;
use super::one_time_tokens::end_tokens_of;
use super::users::{find_account, is_unchanged, lock_user, stored_email};
use super::{revocations, sessions};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::mail::MailKind;
use crate::domain::ports::passwords::{PasswordChange, PasswordChangeOutcome, Passwords};
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::user::{Account, Epoch, PasswordHash};

#[async_trait]
impl Passwords for Database {
    async fn account(&self, user: UserId) -> StoreResult<Option<Account>> {
        self.run(|| find_account(&self.reader, user)).await
    }

    async fn change(&self, change: PasswordChange, context: &AuditContext) -> StoreResult<PasswordChangeOutcome> {
        self.run(|| self.try_change_password(&change, context)).await
    }
}

/// A password in the place of another.
pub(super) struct Replacement<'a> {
    pub hash: &'a PasswordHash,
    /// The session that goes on.
    pub spared: Option<SessionId>,
    pub account_key: [u8; 32],
    pub revocation_expires_at: Timestamp,
}

/// What ended with the password that was.
pub(super) struct Replaced {
    pub revocations: Vec<Revocation>,
    /// The ends of the sessions, to be told.
    pub ended: Vec<AuditEvent>,
}

impl Database {
    async fn try_change_password(
        &self,
        change: &PasswordChange,
        context: &AuditContext,
    ) -> Result<PasswordChangeOutcome, Fault> {
        let transaction = self.begin().await?;
        let user = lock_user(&transaction, change.user).await?.filter(|user| {
            is_unchanged(user, change.seen_epoch) && user.password_hash.as_deref() == Some(change.from.as_str())
        });
        let Some(user) = user else { return Ok(PasswordChangeOutcome::UserChanged) };
        let replacement = Replacement {
            hash: &change.to,
            spared: Some(change.session),
            account_key: change.attempt.account,
            revocation_expires_at: change.revocation_expires_at,
        };
        let Replaced { revocations, ended } = self.replace_password(&transaction, &user, &replacement, context).await?;
        // What it says of the source before does not matter: the owner is told of the change itself.
        remember_source(&transaction, &change.attempt, context.at).await.map(drop)?;
        let changed = AuditEvent::by_actor(AuditKind::PasswordChanged, Some(change.user.into()), context);
        self.write_events(&transaction, context, [changed].into_iter().chain(ended)).await?;
        transaction.commit().await?;
        Ok(PasswordChangeOutcome::Changed { revocations })
    }

    /// Replaces the password of a user whose row is locked, and ends all that the one before has let in: the way of
    /// every new password.
    pub(super) async fn replace_password(
        &self,
        transaction: &DatabaseTransaction,
        user: &user::Model,
        new: &Replacement<'_>,
        context: &AuditContext,
    ) -> Result<Replaced, Fault> {
        let (id, epoch) = (UserId::from_uuid(user.id), Epoch(user.epoch + 1));
        user::Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::val(new.hash.as_str()))
            .col_expr(Column::Epoch, Expr::val(epoch.0))
            .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
            .col_expr(Column::UpdatedAt, Expr::val(context.at.as_millis()))
            .filter(Column::Id.eq(user.id))
            .exec(transaction)
            .await?;
        let ended = sessions::end_all_but(transaction, id, new.spared, context.at).await?;
        end_tokens_of(transaction, id, context.at).await?;
        forget_account(transaction, new.account_key).await?;
        let target = RevocationTarget::User { id, min_epoch: epoch };
        let revocations = vec![Revocation { target, expires_at: new.revocation_expires_at }];
        revocations::write(transaction, &revocations).await?;
        self.queue(transaction, MailKind::PasswordChanged, &stored_email(&user.email)?, context.at).await?;
        let ended = ended.into_iter().map(|session| audit::session_ended(id, Some(session), context)).collect();
        Ok(Replaced { revocations, ended })
    }
}
