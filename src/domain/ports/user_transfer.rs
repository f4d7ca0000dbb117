//! Accounts on their way in and out, many at once.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::user_list::UserQuery;
use crate::domain::user_transfer::{ExportedUser, ImportOutcome, ImportedUser};

/// Accounts on their way in and out, many at once.
#[async_trait]
pub trait UserTransfer: Send + Sync {
    /// Creates those of the accounts that are not there yet, in one transaction, each with the events of its creation
    /// and of its roles; the outcome of each, in order. Of two that are the same the first counts. No account that is
    /// there is changed, and nothing is mailed.
    async fn import(&self, users: &[ImportedUser], context: &AuditContext) -> StoreResult<Vec<ImportOutcome>>;

    /// The accounts that the query chooses, in its order, each with its roles and its hash.
    async fn export(&self, query: &UserQuery) -> StoreResult<Vec<ExportedUser>>;
}
