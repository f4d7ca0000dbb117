//! Ends sessions.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _,
};

use crate::domain::audit::AuditEvent;
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::AuditContext;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::session::EndScope;
use crate::store::db::audit;
use crate::store::db::database::Database;
use crate::store::db::entity::session::{self, Column};
use crate::store::db::fault::Fault;
use crate::store::db::revocations;
use crate::store::db::users::lock_user;

impl Database {
    pub(super) async fn try_end(
        &self,
        user: UserId,
        scope: EndScope,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> Result<Vec<Revocation>, Fault> {
        let transaction = self.begin().await?;
        if lock_user(&transaction, user).await?.is_none() {
            return Ok(Vec::new());
        }
        let of_user = open(user);
        let which = match scope {
            EndScope::This(session) => of_user.add(Column::Id.eq(session.as_uuid())),
            EndScope::Others(session) => of_user.add(Column::Id.ne(session.as_uuid())),
            EndScope::All => of_user,
        };
        let ended = end_and_revoke(&transaction, which, context.at, revocations_expire_at).await?;
        self.write_events(&transaction, context, events(user, &ended, context)).await?;
        transaction.commit().await?;
        Ok(ended)
    }
}

/// The user's sessions that nothing has ended. They may have expired: the last access token out may not have.
fn open(user: UserId) -> Condition {
    Condition::all().add(Column::UserId.eq(user.as_uuid())).add(Column::EndedAt.is_null())
}

/// Whether the session is the user's and has not ended: a bearer may outlive it for a moment on other replicas.
pub(in crate::store::db) async fn is_open(
    connection: &impl ConnectionTrait,
    user: UserId,
    session: SessionId,
) -> Result<bool, DbErr> {
    let found = session::Entity::find().filter(open(user)).filter(Column::Id.eq(session.as_uuid()));
    Ok(found.one(connection).await?.is_some())
}

/// The user's sessions that can still be refreshed.
pub(super) fn live(user: UserId, now: Timestamp) -> Condition {
    open(user).add(Column::ExpiresAt.gt(now.as_millis())).add(Column::IdleExpiresAt.gt(now.as_millis()))
}

/// Ends those of the sessions that have not ended, and revokes what is out of each.
pub(super) async fn end_and_revoke(
    transaction: &DatabaseTransaction,
    which: Condition,
    at: Timestamp,
    expires_at: Timestamp,
) -> Result<Vec<Revocation>, Fault> {
    let ended = session::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::val(at.as_millis()))
        .filter(which)
        .filter(Column::EndedAt.is_null())
        .exec_with_returning(transaction)
        .await?;
    let target = |row: &session::Model| RevocationTarget::Session(SessionId::from_uuid(row.id));
    let revocations: Vec<_> = ended.iter().map(|row| Revocation { target: target(row), expires_at }).collect();
    revocations::write(transaction, &revocations).await?;
    Ok(revocations)
}

/// Ends every session of a user whose epoch moves in the same transaction: that revokes what is out of them.
pub(in crate::store::db) async fn end_all(
    transaction: &DatabaseTransaction,
    user: UserId,
    at: Timestamp,
) -> Result<Vec<SessionId>, DbErr> {
    end_all_but(transaction, user, None, at).await
}

/// The same, but one session may go on.
pub(in crate::store::db) async fn end_all_but(
    transaction: &DatabaseTransaction,
    user: UserId,
    spared: Option<SessionId>,
    at: Timestamp,
) -> Result<Vec<SessionId>, DbErr> {
    let ending = open(user).add_option(spared.map(|session| Column::Id.ne(session.as_uuid())));
    let ended = session::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::val(at.as_millis()))
        .filter(ending)
        .exec_with_returning(transaction)
        .await?;
    Ok(ended.into_iter().map(|row| SessionId::from_uuid(row.id)).collect())
}

/// One event for each session that the revocations name, by the context's actor or else by the user.
pub(super) fn events(user: UserId, revocations: &[Revocation], context: &AuditContext) -> Vec<AuditEvent> {
    let session = |revocation: &Revocation| match revocation.target {
        RevocationTarget::Session(id) => Some(id),
        RevocationTarget::User { .. } | RevocationTarget::Key(_) => None,
    };
    revocations.iter().map(|revocation| audit::session_ended(user, session(revocation), context)).collect()
}
