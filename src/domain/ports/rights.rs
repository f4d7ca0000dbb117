//! What accounts may do.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::rights::{DeletionOutcome, RightsChange, RightsOutcome, UserDeletion};

/// Changes what accounts may do. One administrator who can sign in is always left, however many changes run at once.
#[async_trait]
pub trait Rights: Send + Sync {
    /// Changes roles or state; raises the epoch and revokes the access tokens out where they would lie, ends the sessions
    /// of an account that is disabled.
    async fn change(
        &self,
        user: UserId,
        change: &RightsChange,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<RightsOutcome>;

    /// Deletes the account with its roles, sessions, mailed tokens, waiting mails, failures and known sources; of the
    /// audit trail it leaves the ids, and blanks where its owner came from.
    async fn delete(&self, deletion: UserDeletion, context: &AuditContext) -> StoreResult<DeletionOutcome>;
}
