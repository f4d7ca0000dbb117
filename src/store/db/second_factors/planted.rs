//! Takes away a second factor that somebody gave an account whose address they never had.

use sea_orm::DatabaseTransaction;

use super::change::forget_factor;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::id::UserId;
use crate::domain::mail::{MailKind, MailOwner, Notice};
use crate::domain::name::Name;
use crate::domain::ports::AuditContext;
use crate::domain::user::Epoch;
use crate::store::db::audit;
use crate::store::db::database::Database;
use crate::store::db::entity::user;
use crate::store::db::fault::Fault;
use crate::store::db::users::{has_been_given_roles, stored_email};

impl Database {
    /// A factor from before the address was verified is that of whoever registered it, and must not keep its owner out
    /// who has the mail of a reset. It stays where the account has been given roles: they were given to whoever has the
    /// factor. The event, if there was one to take.
    pub(in crate::store::db) async fn forget_planted_factor(
        &self,
        transaction: &DatabaseTransaction,
        row: &user::Model,
        context: &AuditContext,
    ) -> Result<Option<AuditEvent>, Fault> {
        let id = UserId::from_uuid(row.id);
        if row.email_verified || has_been_given_roles(transaction, id).await? || !forget_factor(transaction, id).await?
        {
            return Ok(None);
        }
        let notice = Notice {
            kind: MailKind::TotpRemoved,
            owner: MailOwner { user_id: id, epoch: Epoch(row.epoch + 1) },
            to: stored_email(&row.email)?,
            device: Name::default(),
        };
        self.queue_notice(transaction, &notice, context).await?;
        Ok(Some(audit::by_user(AuditKind::SecondFactorRemoved, id, None)))
    }
}
