//! Moves a session to its next generation, or finds out why not.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QuerySelect as _};

use super::{end, row};
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::ports::AuditContext;
use crate::domain::session::{Rotation, RotationOutcome, Session, Standing};
use crate::domain::user::UserState;
use crate::store::db::audit;
use crate::store::db::database::Database;
use crate::store::db::entity::session::{self, Column};
use crate::store::db::entity::user;
use crate::store::db::fault::Fault;
use crate::store::db::users::is_unchanged;
use crate::store::db::words::Word as _;

impl Database {
    /// One conditional statement decides, whatever runs beside it; only who lost asks further.
    pub(super) async fn try_rotate(
        &self,
        rotation: &Rotation,
        context: &AuditContext,
    ) -> Result<RotationOutcome, Fault> {
        let now = context.at;
        let idle = now.after(rotation.limits.idle_lifetime).as_millis();
        let not_past_the_end = Expr::case(Column::ExpiresAt.lt(idle), Expr::col(Column::ExpiresAt)).finally(idle);
        let mut rotated = session::Entity::update_many()
            .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
            .col_expr(Column::RotatedAt, Expr::val(now.as_millis()))
            .col_expr(Column::IdleExpiresAt, not_past_the_end.into())
            .filter(may_rotate(rotation, now))
            .exec_with_returning(&self.writer)
            .await?;
        match rotated.pop() {
            Some(row) => Ok(RotationOutcome::Rotated(row::parse(row)?)),
            None => self.settle_unrotated(rotation, context).await,
        }
    }

    async fn settle_unrotated(&self, rotation: &Rotation, context: &AuditContext) -> Result<RotationOutcome, Fault> {
        let transaction = self.begin().await?;
        let locked = session::Entity::find_by_id(rotation.session_id.as_uuid()).lock_exclusive();
        let Some(row) = locked.one(&transaction).await? else { return Ok(RotationOutcome::Gone) };
        let session = row::parse(row)?;
        let standing = standing(&session, rotation, context.at);
        if standing == Standing::Older {
            let revocation = end::end_and_revoke(
                &transaction,
                Column::Id.eq(session.id.as_uuid()).into(),
                context.at,
                rotation.revocation_expires_at,
            );
            let revocation = revocation.await?.pop().ok_or(Fault::Contended)?;
            self.write_events(&transaction, context, replay_events(&session)).await?;
            transaction.commit().await?;
            return Ok(RotationOutcome::Replayed { revocation });
        }
        if standing == Standing::Gone {
            return Ok(RotationOutcome::Gone);
        }
        let user = user::Entity::find_by_id(session.user_id.as_uuid()).one(&transaction).await?;
        if !user.is_some_and(|user| is_unchanged(&user, rotation.seen_epoch)) {
            return Ok(RotationOutcome::UserChanged);
        }
        match standing {
            Standing::JustUsed => Ok(RotationOutcome::Repeated(session)),
            // What stood in the way of the first statement is out of it: it may try again.
            Standing::Current | Standing::Gone | Standing::Older => Err(Fault::Contended),
        }
    }
}

/// How the presented token stands to the session, whatever has become of the user.
fn standing(session: &Session, rotation: &Rotation, now: Timestamp) -> Standing {
    if session.user_id != rotation.user_id {
        return Standing::Gone;
    }
    session.standing(rotation.presented, rotation.limits.grace, now)
}

fn may_rotate(rotation: &Rotation, now: Timestamp) -> Condition {
    Condition::all()
        .add(Column::Id.eq(rotation.session_id.as_uuid()))
        .add(Column::UserId.eq(rotation.user_id.as_uuid()))
        .add(Column::Generation.eq(row::stored_generation(rotation.presented)))
        .add(Column::EndedAt.is_null())
        .add(Column::ExpiresAt.gt(now.as_millis()))
        .add(Column::IdleExpiresAt.gt(now.as_millis()))
        .add(Expr::exists(unchanged_user(rotation)))
}

fn unchanged_user(rotation: &Rotation) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(user::Entity)
        .and_where(user::Column::Id.eq(rotation.user_id.as_uuid()))
        .and_where(user::Column::Epoch.eq(rotation.seen_epoch.0))
        .and_where(user::Column::State.eq(UserState::Active.word()))
        .take()
}

/// The actor is unknown: owner or thief.
fn replay_events(session: &Session) -> [AuditEvent; 2] {
    let reused = audit::failure(AuditKind::TokenReused, Some(session.user_id), Some(session.id));
    let ended = AuditEvent { kind: AuditKind::SessionEnded, outcome: AuditOutcome::Success, ..reused.clone() };
    [reused, ended]
}
