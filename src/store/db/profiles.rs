//! What accounts tell of their owners.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryTrait as _};

use super::database::Database;
use super::entity::user::{self, Column};
use super::fault::Fault;
use super::users::{find_user, locked_user};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::id::UserId;
use crate::domain::ports::profiles::{ProfileChange, ProfileOutcome, Profiles};
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user::Revision;

#[async_trait]
impl Profiles for Database {
    async fn update(
        &self,
        user: UserId,
        change: ProfileChange,
        expected: Option<Revision>,
        context: &AuditContext,
    ) -> StoreResult<ProfileOutcome> {
        self.run(|| self.try_update_profile(user, &change, expected, context)).await
    }
}

impl Database {
    async fn try_update_profile(
        &self,
        id: UserId,
        change: &ProfileChange,
        expected: Option<Revision>,
        context: &AuditContext,
    ) -> Result<ProfileOutcome, Fault> {
        let transaction = self.begin().await?;
        let Some(before) = locked_user(&transaction, id).await? else { return Ok(ProfileOutcome::Unknown) };
        if expected.is_some_and(|expected| expected != before.revision) {
            return Ok(ProfileOutcome::Moved);
        }
        if change.is_done(&before) {
            return Ok(ProfileOutcome::Unchanged(before));
        }
        apply(&transaction, id, change, None, context).await?;
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("user whose row is locked"))?;
        let mut event = AuditEvent::by_actor(AuditKind::UserUpdated, Some(id.into()), context);
        event.detail = Some(change.fields());
        self.write_events(&transaction, context, [event]).await?;
        transaction.commit().await?;
        Ok(ProfileOutcome::Updated(user))
    }
}

/// One conditional statement decides; how many rows it changed.
pub(super) async fn apply(
    connection: &impl ConnectionTrait,
    id: UserId,
    change: &ProfileChange,
    expected: Option<Revision>,
    context: &AuditContext,
) -> Result<u64, DbErr> {
    let fields = [
        change.display_name.as_ref().map(|name| (Column::DisplayName, Expr::val(name.as_str()))),
        change.language.as_ref().map(|language| (Column::Language, Expr::val(language.as_str()))),
        change.email_verified.map(|verified| (Column::EmailVerified, Expr::val(verified))),
    ];
    let bare = user::Entity::update_many()
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(context.at.as_millis()))
        .filter(Column::Id.eq(id.as_uuid()));
    let with_fields = fields.into_iter().flatten().fold(bare, |update, (column, value)| update.col_expr(column, value));
    let update = with_fields.apply_if(expected, |update, Revision(seen)| update.filter(Column::Revision.eq(seen)));
    Ok(update.exec(connection).await?.rows_affected)
}
