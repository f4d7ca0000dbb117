//! Lists accounts: by an index, from a place on, never by counting rows.

use std::collections::HashMap;

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, Order, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _, Select,
};
use uuid::Uuid;

use crate::domain::user::User;
use crate::domain::user_list::{UserFilter, UserOrder, UserPosition, UserQuery};
use crate::store::db::database::Database;
use crate::store::db::entity::user::{self, Column};
use crate::store::db::entity::user_role;
use crate::store::db::fault::Fault;
use crate::store::db::users::account;
use crate::store::db::words::Word as _;

impl Database {
    /// Roles are read after the accounts: an etag is never newer than what it stands beside.
    pub(super) async fn try_list(&self, query: &UserQuery) -> Result<Vec<User>, Fault> {
        let rows = select(query).all(&self.reader).await?;
        let mut roles = roles_of(&self.reader, rows.iter().map(|row| row.id).collect()).await?;
        let users = rows.into_iter().map(|row| {
            let roles = roles.remove(&row.id).unwrap_or_default();
            account(row, roles).map(|account| account.user)
        });
        users.collect()
    }
}

pub(in crate::store::db) fn select(query: &UserQuery) -> Select<user::Entity> {
    let (columns, order): (&[Column], Order) = match query.order {
        UserOrder::Created => (&[Column::CreatedAt, Column::Id], Order::Asc),
        UserOrder::CreatedDescending => (&[Column::CreatedAt, Column::Id], Order::Desc),
        UserOrder::Email => (&[Column::EmailKey], Order::Asc),
        UserOrder::EmailDescending => (&[Column::EmailKey], Order::Desc),
    };
    let chosen = user::Entity::find()
        .filter(chosen(&query.filter))
        .apply_if(query.after.as_ref(), |select, after| select.filter(is_after(query.order, after)))
        .limit(u64::from(query.limit));
    columns.iter().fold(chosen, |select, column| select.order_by(*column, order.clone()))
}

/// A prefix is a range of keys: no sign in it has a meaning, and the index on the keys serves.
fn chosen(filter: &UserFilter) -> Condition {
    let prefix = Some(filter.email_prefix.as_str()).filter(|prefix| !prefix.is_empty());
    let has_role = |role: &str| {
        Query::select()
            .expr(Expr::val(1))
            .from(user_role::Entity)
            .and_where(Expr::col((user_role::Entity, user_role::Column::UserId)).equals((user::Entity, Column::Id)))
            .and_where(Expr::col((user_role::Entity, user_role::Column::Role)).eq(role))
            .take()
    };
    Condition::all()
        .add_option(prefix.map(|prefix| Column::EmailKey.gte(prefix)))
        .add_option(prefix.and_then(|_| filter.email_prefix.successor()).map(|end| Column::EmailKey.lt(end)))
        .add_option(filter.role.as_ref().map(|role| Expr::exists(has_role(role.as_str()))))
        .add_option(filter.state.map(|state| Column::State.eq(state.word())))
        .add_option(filter.created_from.map(|from| Column::CreatedAt.gte(from.as_millis())))
        .add_option(filter.created_until.map(|until| Column::CreatedAt.lt(until.as_millis())))
}

/// Pairs are compared as rows: written with OR, SQLite would not find the place by the index.
fn is_after(order: UserOrder, after: &UserPosition) -> Expr {
    let creation = || Expr::tuple([Expr::col(Column::CreatedAt), Expr::col(Column::Id)]);
    let place = || Expr::tuple([Expr::val(after.created_at.as_millis()), Expr::val(after.id.as_uuid())]);
    match order {
        UserOrder::Created => creation().gt(place()),
        UserOrder::CreatedDescending => creation().lt(place()),
        UserOrder::Email => Column::EmailKey.gt(after.email_key.as_str()),
        UserOrder::EmailDescending => Column::EmailKey.lt(after.email_key.as_str()),
    }
}

pub(in crate::store::db) async fn roles_of(
    connection: &impl ConnectionTrait,
    users: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<user_role::Model>>, DbErr> {
    let rows = user_role::Entity::find().filter(user_role::Column::UserId.is_in(users)).all(connection).await?;
    let mut roles: HashMap<Uuid, Vec<user_role::Model>> = HashMap::new();
    for row in rows {
        roles.entry(row.user_id).or_default().push(row);
    }
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sea_orm::Statement;
    use tempfile::TempDir;

    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::email_prefix::EmailPrefix;
    use crate::domain::id::UserId;
    use crate::domain::manual_clock::CountingEntropy;
    use crate::domain::role::RoleName;
    use crate::store::db::{DatabaseUrl, Settings};

    const ORDERS: [UserOrder; 4] =
        [UserOrder::Created, UserOrder::CreatedDescending, UserOrder::Email, UserOrder::EmailDescending];

    /// SQLite's plan, a line a step.
    async fn plan(database: &Database, query: &UserQuery) -> String {
        let built = select(query).build(database.backend());
        let explain = Statement { sql: format!("EXPLAIN QUERY PLAN {}", built.sql), ..built };
        let steps = database.reader.query_all_raw(explain).await.expect("a plan");
        let detail = |row: &sea_orm::QueryResult| row.try_get::<String>("", "detail").expect("a step");
        steps.iter().map(detail).collect::<Vec<_>>().join("\n")
    }

    #[tokio::test]
    async fn no_list_reads_or_sorts_all_accounts() {
        let folder = TempDir::new().expect("a folder");
        let settings = Settings::new(DatabaseUrl::sqlite(&folder.path().join("keystead.db")));
        let database = Database::connect(&settings, Arc::new(CountingEntropy::new())).await.expect("a database");
        database.migrate().await.expect("a schema");
        let id = UserId::from_uuid(Uuid::nil());
        let after = UserPosition { created_at: Timestamp::from_millis(1), id, email_key: "m".to_owned() };
        let prefix = UserFilter { email_prefix: EmailPrefix::parse("ada").expect("a prefix"), ..UserFilter::default() };
        let role = UserFilter { role: Some(RoleName::parse("admin").expect("a role")), ..UserFilter::default() };
        for order in ORDERS {
            for after in [None, Some(after.clone())] {
                let is_first = after.is_none();
                let query = UserQuery { order, after, limit: 51, ..UserQuery::default() };
                let ordered = plan(&database, &query).await;
                assert!(!ordered.contains("TEMP B-TREE"), "{order:?}: {ordered}");
                let way = if is_first { "SCAN users USING INDEX" } else { "SEARCH users USING INDEX" };
                assert!(ordered.starts_with(way), "{order:?}: {ordered}");
                let prefixed = plan(&database, &UserQuery { filter: prefix.clone(), ..query.clone() }).await;
                assert!(prefixed.starts_with("SEARCH users USING INDEX users_email_key"), "{order:?}: {prefixed}");
                let with_role = plan(&database, &UserQuery { filter: role.clone(), ..query }).await;
                assert!(!with_role.contains("SCAN user_roles"), "{order:?}: {with_role}");
            }
        }
    }
}
