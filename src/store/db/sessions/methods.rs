//! What a session says of the factors that opened it.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};

use crate::domain::id::SessionId;
use crate::domain::second_factor::first_factor_alone;
use crate::store::db::entity::session::{self, Column};
use crate::store::db::fault::Fault;
use crate::store::db::words::{list, parse_list};

/// Leaves the session with its first factor alone. Nobody else changes what it says: its user's row is locked.
pub(in crate::store::db) async fn forget_second_factor(
    connection: &impl ConnectionTrait,
    session: SessionId,
) -> Result<(), Fault> {
    let Some(row) = session::Entity::find_by_id(session.as_uuid()).one(connection).await? else { return Ok(()) };
    let left = first_factor_alone(&parse_list(&row.methods)?);
    let updated = session::Entity::update_many().col_expr(Column::Methods, Expr::val(list(&left)));
    updated.filter(Column::Id.eq(row.id)).exec(connection).await?;
    Ok(())
}
