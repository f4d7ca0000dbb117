//! Opens a session.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::{end, row};
use crate::domain::audit::AuditKind;
use crate::domain::mail::{MailKind, MailOwner, Notice};
use crate::domain::ports::AuditContext;
use crate::domain::revocation::Revocation;
use crate::domain::session::{NewSession, Rehash, SessionCreation};
use crate::store::db::attempts::{Familiarity, clear_failures, remember_source};
use crate::store::db::audit;
use crate::store::db::database::Database;
use crate::store::db::entity::{session, user};
use crate::store::db::fault::Fault;
use crate::store::db::users::{is_unchanged, lock_user, stored_email};

impl Database {
    pub(super) async fn try_create_session(
        &self,
        new: &NewSession,
        context: &AuditContext,
    ) -> Result<SessionCreation, Fault> {
        let id = new.session.user_id;
        let transaction = self.begin().await?;
        let Some(user) = lock_user(&transaction, id).await? else { return Ok(SessionCreation::UserChanged) };
        if !is_unchanged(&user, new.seen_epoch) {
            return Ok(SessionCreation::UserChanged);
        }
        let revocations = self.open_session(&transaction, new, &user, context).await?;
        transaction.commit().await?;
        Ok(SessionCreation::Created { revocations })
    }

    /// Opens a session for a user whose row is locked, and does all that comes with it.
    pub(in crate::store::db) async fn open_session(
        &self,
        transaction: &DatabaseTransaction,
        new: &NewSession,
        user: &user::Model,
        context: &AuditContext,
    ) -> Result<Vec<Revocation>, Fault> {
        let id = new.session.user_id;
        session::Entity::insert(row::of(&new.session)).exec_without_returning(transaction).await?;
        let of_session = |kind| audit::by_user(kind, id, Some(new.session.id));
        let mut events = vec![of_session(AuditKind::LoginSucceeded), of_session(AuditKind::SessionCreated)];
        if let Some(rehash) = &new.rehash
            && renew_hash(transaction, user.id, rehash).await?
        {
            events.push(audit::by_user(AuditKind::PasswordRehashed, id, None));
        }
        self.settle_attempt(transaction, new, user, context).await?;
        let revocations = end_over_cap(transaction, new, context).await?;
        events.extend(end::events(id, &revocations, context));
        self.write_events(transaction, context, events).await?;
        Ok(revocations)
    }

    /// Clears the failures, remembers the source, and tells the owner of one that is new.
    async fn settle_attempt(
        &self,
        transaction: &DatabaseTransaction,
        new: &NewSession,
        user: &user::Model,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let Some(keys) = &new.attempt else { return Ok(()) };
        clear_failures(transaction, keys.account).await?;
        if remember_source(transaction, keys, context.at).await? == Familiarity::Strange {
            let notice = Notice {
                kind: MailKind::NewSignIn,
                owner: MailOwner { user_id: new.session.user_id, epoch: new.seen_epoch },
                to: stored_email(&user.email)?,
                device: new.session.device_name.clone(),
            };
            self.queue_notice(transaction, &notice, context).await?;
        }
        Ok(())
    }
}

/// Whether the hash that was checked was still there to be replaced.
pub(in crate::store::db) async fn renew_hash(
    connection: &impl ConnectionTrait,
    user: uuid::Uuid,
    rehash: &Rehash,
) -> Result<bool, Fault> {
    let renewed = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::val(rehash.to.as_str()))
        .filter(user::Column::Id.eq(user))
        .filter(user::Column::PasswordHash.eq(rehash.from.as_str()))
        .exec(connection)
        .await?;
    Ok(renewed.rows_affected == 1)
}

/// Ends the oldest live sessions beside the new one, so that with it there are at most `max_sessions`.
async fn end_over_cap(
    transaction: &DatabaseTransaction,
    new: &NewSession,
    context: &AuditContext,
) -> Result<Vec<Revocation>, Fault> {
    let others = u64::from(new.max_sessions.saturating_sub(1));
    let over: Vec<uuid::Uuid> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(end::live(new.session.user_id, context.at))
        .filter(session::Column::Id.ne(new.session.id.as_uuid()))
        .order_by_desc(session::Column::AuthenticatedAt)
        .order_by_desc(session::Column::Id)
        .offset(others)
        .limit(u64::from(u32::MAX))
        .into_tuple()
        .all(transaction)
        .await?;
    if over.is_empty() {
        return Ok(Vec::new());
    }
    let which = session::Column::Id.is_in(over);
    end::end_and_revoke(transaction, which.into(), context.at, new.revocations_expire_at).await
}
