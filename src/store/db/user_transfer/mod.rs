//! Accounts on their way in and out, many at once.

mod export;
mod import;
mod rows;

use std::time::Duration;

use async_trait::async_trait;

use super::database::Database;
use crate::domain::ports::user_transfer::UserTransfer;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user_list::UserQuery;
use crate::domain::user_transfer::{ExportedUser, ImportOutcome, ImportedUser};

/// A batch may meet a checkpoint, or another import: it is worth more patience than a request is.
const BATCH: Duration = Duration::from_secs(15);

#[async_trait]
impl UserTransfer for Database {
    async fn import(&self, users: &[ImportedUser], context: &AuditContext) -> StoreResult<Vec<ImportOutcome>> {
        self.run_within(BATCH, || self.try_import(users, context)).await
    }

    async fn export(&self, query: &UserQuery) -> StoreResult<Vec<ExportedUser>> {
        self.run(|| self.try_export(query)).await
    }
}
