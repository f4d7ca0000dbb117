//! Accounts, as administrators see and change them.

mod invite;
mod list;
mod require_reset;
mod update;

use async_trait::async_trait;

pub(super) use list::{roles_of, select};

use super::database::Database;
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::ports::user_directory::UserDirectory;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::revocation::Revocation;
use crate::domain::user::User;
use crate::domain::user_change::{Invitation, InvitationOutcome, UpdateOutcome, UserUpdate};
use crate::domain::user_list::UserQuery;

#[async_trait]
impl UserDirectory for Database {
    async fn invite(&self, invitation: &Invitation, context: &AuditContext) -> StoreResult<InvitationOutcome> {
        self.run(|| self.try_invite(invitation, context)).await
    }

    async fn list(&self, query: &UserQuery) -> StoreResult<Vec<User>> {
        self.run(|| self.try_list(query)).await
    }

    async fn update(&self, update: &UserUpdate, context: &AuditContext) -> StoreResult<UpdateOutcome> {
        self.run(|| self.try_update_user(update, context)).await
    }

    async fn require_reset(
        &self,
        user: UserId,
        revocation_expires_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Option<Revocation>> {
        self.run(|| self.try_require_reset(user, revocation_expires_at, context)).await
    }
}
