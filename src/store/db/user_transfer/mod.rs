//! Accounts on their way in and out, many at once.

mod export;
mod import;
mod rows;

use async_trait::async_trait;

use super::database::Database;
use crate::domain::ports::user_transfer::UserTransfer;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user_list::UserQuery;
use crate::domain::user_transfer::{ExportedUser, ImportOutcome, ImportedUser};

#[async_trait]
impl UserTransfer for Database {
    async fn import(&self, users: &[ImportedUser], context: &AuditContext) -> StoreResult<Vec<ImportOutcome>> {
        self.run(|| self.try_import(users, context)).await
    }

    async fn export(&self, query: &UserQuery) -> StoreResult<Vec<ExportedUser>> {
        self.run(|| self.try_export(query)).await
    }
}
