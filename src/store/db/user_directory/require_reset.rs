//! Takes away what people sign in by, so that nothing but a reset by mail lets the owner in.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::ports::AuditContext;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::rights::sessions_ended;
use crate::domain::user::Epoch;
use crate::store::db::database::Database;
use crate::store::db::entity::one_time_token;
use crate::store::db::entity::user::{self, Column};
use crate::store::db::fault::Fault;
use crate::store::db::identities::unlink_all_for_good;
use crate::store::db::users::{lock_user, stored_email};
use crate::store::db::{revocations, sessions};

impl Database {
    pub(super) async fn try_require_reset(
        &self,
        id: UserId,
        expires_at: Timestamp,
        context: &AuditContext,
    ) -> Result<Option<Revocation>, Fault> {
        let transaction = self.begin().await?;
        let Some(row) = lock_user(&transaction, id).await? else { return Ok(None) };
        let epoch = Epoch(row.epoch + 1);
        user::Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::val(None::<String>))
            .col_expr(Column::Epoch, Expr::val(epoch.0))
            .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
            .col_expr(Column::UpdatedAt, Expr::val(context.at.as_millis()))
            .filter(Column::Id.eq(row.id))
            .exec(&transaction)
            .await?;
        let ended = sessions::end_all(&transaction, id, context.at).await?;
        // Gone, not only ended: what strangers have asked for must not use up the owner's mails of this hour.
        let tokens = one_time_token::Entity::delete_many().filter(one_time_token::Column::UserId.eq(row.id));
        tokens.exec(&transaction).await?;
        let unlinked = unlink_all_for_good(&transaction, id, context).await?;
        let revocation = Revocation { target: RevocationTarget::User { id, min_epoch: epoch }, expires_at };
        revocations::write(&transaction, std::slice::from_ref(&revocation)).await?;
        self.queue(&transaction, MailKind::PasswordReset, &stored_email(&row.email)?, context.at).await?;
        let required = AuditEvent::by_actor(AuditKind::ResetRequired, Some(id.into()), context);
        let events = std::iter::once(required).chain(unlinked).chain(sessions_ended(id, &ended, context));
        self.write_events(&transaction, context, events).await?;
        transaction.commit().await?;
        Ok(Some(revocation))
    }
}
