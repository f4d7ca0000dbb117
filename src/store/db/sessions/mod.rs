//! Sessions.

mod create;
mod end;
mod methods;
mod rotate;
mod row;

use async_trait::async_trait;
use sea_orm::{EntityTrait as _, QueryFilter as _, QueryOrder as _};

pub(super) use create::renew_hash;
pub(super) use end::{end_all, end_all_but, is_open};
pub(super) use methods::forget_second_factor;

use super::database::Database;
use super::entity::session;
use super::fault::Fault;
use super::users::find_user;
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::{AuditContext, Sessions, StoreResult};
use crate::domain::revocation::Revocation;
use crate::domain::session::{
    EndScope, NewSession, Rotation, RotationOutcome, Session, SessionCreation, SessionOfUser,
};

#[async_trait]
impl Sessions for Database {
    async fn create(&self, session: NewSession, context: &AuditContext) -> StoreResult<SessionCreation> {
        self.run(|| self.try_create_session(&session, context)).await
    }

    async fn find(&self, id: SessionId) -> StoreResult<Option<SessionOfUser>> {
        self.run(|| self.try_find_session(id)).await
    }

    async fn rotate(&self, rotation: Rotation, context: &AuditContext) -> StoreResult<RotationOutcome> {
        self.run(|| self.try_rotate(&rotation, context)).await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> StoreResult<Vec<Session>> {
        self.run(|| self.try_list_sessions(user, now)).await
    }

    async fn end(
        &self,
        user: UserId,
        scope: EndScope,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Vec<Revocation>> {
        self.run(|| self.try_end(user, scope, revocations_expire_at, context)).await
    }
}

impl Database {
    async fn try_find_session(&self, id: SessionId) -> Result<Option<SessionOfUser>, Fault> {
        let Some(row) = session::Entity::find_by_id(id.as_uuid()).one(&self.reader).await? else { return Ok(None) };
        let session = row::parse(row)?;
        let user = find_user(&self.reader, session.user_id).await?;
        Ok(user.map(|user| SessionOfUser { session, user }))
    }

    async fn try_list_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, Fault> {
        let rows = session::Entity::find()
            .filter(end::live(user, now))
            .order_by_desc(session::Column::RotatedAt)
            .order_by_desc(session::Column::Id)
            .all(&self.reader)
            .await?;
        rows.into_iter().map(row::parse).collect()
    }
}
