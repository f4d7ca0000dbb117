//! Failures in a row, and known sources.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _};

use super::database::Database;
use super::entity::{known_source, login_failure};
use super::fault::Fault;
use crate::domain::clock::Timestamp;
use crate::domain::ports::{Attempts, AuditContext, StoreResult};
use crate::domain::throttle::{Attempt, AttemptKeys};

#[async_trait]
impl Attempts for Database {
    async fn count(&self, keys: &AttemptKeys, context: &AuditContext) -> StoreResult<Attempt> {
        self.run(|| self.try_count(keys, context.at)).await
    }

    async fn clear(&self, keys: &AttemptKeys) -> StoreResult<()> {
        self.run(|| async { Ok(clear_failures(&self.writer, keys.account).await?) }).await
    }
}

impl Database {
    /// One statement, so that parallel attempts are counted one after the other.
    async fn try_count(&self, keys: &AttemptKeys, at: Timestamp) -> Result<Attempt, Fault> {
        use login_failure::Column::{AccountKey, Failures, UpdatedAt};
        let failures = (login_failure::Entity, Failures);
        let once_more = OnConflict::column(AccountKey)
            .value(Failures, Expr::col(failures).add(1))
            .value(UpdatedAt, at.as_millis())
            .to_owned();
        let known = Query::select()
            .expr(Expr::val(1))
            .from(known_source::Entity)
            .and_where(known_source::Column::AccountKey.eq(keys.account.to_vec()))
            .and_where(known_source::Column::SourceKey.eq(keys.source.to_vec()))
            .take();
        let count = Query::insert()
            .into_table(login_failure::Entity)
            .columns([AccountKey, Failures, UpdatedAt])
            .values_panic([keys.account.to_vec().into(), 1_i64.into(), at.as_millis().into()])
            .on_conflict(once_more)
            .returning(Query::returning().exprs([Expr::col(Failures), Expr::exists(known)]))
            .take();
        let row = self.writer.query_one(&count).await?.ok_or(Fault::Contended)?;
        let in_a_row: i64 = row.try_get_by_index(0)?;
        Ok(Attempt { in_a_row: u32::try_from(in_a_row).unwrap_or(u32::MAX), known_source: row.try_get_by_index(1)? })
    }
}

pub(super) async fn clear_failures(connection: &impl ConnectionTrait, account: [u8; 32]) -> Result<(), DbErr> {
    login_failure::Entity::delete_by_id(account.to_vec()).exec(connection).await.map(|_| ())
}

/// Forgets failures and known sources: who has signed in with the password that was is nobody to trust any more.
pub(super) async fn forget_account(connection: &impl ConnectionTrait, account: [u8; 32]) -> Result<(), DbErr> {
    clear_failures(connection, account).await?;
    let of_account = known_source::Column::AccountKey.eq(account.to_vec());
    known_source::Entity::delete_many().filter(of_account).exec(connection).await.map(|_| ())
}

/// What the record says of a source that has just signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Familiarity {
    Known,
    /// The first source of the account.
    First,
    /// Other sources are known, this is none of them.
    Strange,
}

/// Remembers the source of a sign-in, and says what was known of it before.
pub(super) async fn remember_source(
    connection: &impl ConnectionTrait,
    keys: &AttemptKeys,
    at: Timestamp,
) -> Result<Familiarity, DbErr> {
    let id = (keys.account.to_vec(), keys.source.to_vec());
    let this = known_source::Entity::find_by_id(id).one(connection).await?;
    let familiarity = if this.is_some() {
        Familiarity::Known
    } else {
        let of_account = known_source::Column::AccountKey.eq(keys.account.to_vec());
        let another = known_source::Entity::find().filter(of_account).one(connection).await?;
        another.map_or(Familiarity::First, |_| Familiarity::Strange)
    };
    let row = known_source::ActiveModel {
        account_key: Set(keys.account.to_vec()),
        source_key: Set(keys.source.to_vec()),
        last_seen_at: Set(at.as_millis()),
    };
    let seen_again = OnConflict::columns([known_source::Column::AccountKey, known_source::Column::SourceKey])
        .update_column(known_source::Column::LastSeenAt)
        .to_owned();
    known_source::Entity::insert(row).on_conflict(seen_again).exec_without_returning(connection).await?;
    Ok(familiarity)
}
