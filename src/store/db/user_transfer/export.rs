//! Reads accounts with all that an export may take along.

use crate::domain::user_list::UserQuery;
use crate::domain::user_transfer::{ExportedUser, ExternalId};
use crate::store::db::database::Database;
use crate::store::db::entity::{user, user_role};
use crate::store::db::fault::Fault;
use crate::store::db::user_directory::{roles_of, select};
use crate::store::db::users::account;

impl Database {
    pub(super) async fn try_export(&self, query: &UserQuery) -> Result<Vec<ExportedUser>, Fault> {
        let rows = select(query).all(&self.reader).await?;
        let mut roles = roles_of(&self.reader, rows.iter().map(|row| row.id).collect()).await?;
        rows.into_iter().map(|row| exported(row, &mut |id| roles.remove(&id).unwrap_or_default())).collect()
    }
}

fn exported(
    mut row: user::Model,
    roles: &mut impl FnMut(uuid::Uuid) -> Vec<user_role::Model>,
) -> Result<ExportedUser, Fault> {
    let external_id = row.external_id.take().map(|id| ExternalId::parse(&id)).transpose();
    let external_id = external_id.map_err(|_| Fault::Corrupt("external id"))?;
    let roles = roles(row.id);
    let account = account(row, roles)?;
    Ok(ExportedUser { user: account.user, external_id, password_hash: account.password_hash })
}
