//! The table of revocations, and the cursor that skips nothing.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select, Statement, StreamTrait, TransactionTrait as _,
};

use super::database::Database;
use super::entity::revocation;
use super::fault::Fault;
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::{Revocations, StoreResult};
use crate::domain::revocation::{Revocation, RevocationCursor, RevocationGap, RevocationPage, RevocationTarget};
use crate::domain::user::Epoch;

const SESSION: &str = "session";
const USER: &str = "user";
const KEY: &str = "key";

/// Rows and the new cursor from one snapshot: every transaction below its `xmin` has ended, and what it committed is
/// in the snapshot. The cursor that was asked for is lowered to `xmin` where a restored database counts anew.
const READ_POSTGRES: &str = "SELECT s.xmin, r.kind, r.target, r.min_epoch, r.expires_at \
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s \
    LEFT JOIN revocations r ON r.txid >= least($1, s.xmin) AND r.expires_at > $2";

/// What [`READ_POSTGRES`] reads, but so many rows at most, and none for a cursor that this cluster has not come to.
const SINCE_POSTGRES: &str = "SELECT s.xmin, r.kind, r.target, r.min_epoch, r.expires_at \
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s \
    LEFT JOIN revocations r ON r.txid >= $1 AND $1 <= s.xmin AND r.expires_at > $2 LIMIT $3";

/// All of it takes longer than what is new: a million rows a second or so.
const WHOLE_TABLE: Duration = Duration::from_secs(30);
const WHOLE_TABLE_POSTGRES: &str = "SET LOCAL statement_timeout = '30s'";

/// The last id that was ever given, whatever has been removed since.
const LAST_ID_SQLITE: &str = "SELECT COALESCE(MAX(seq), 0) AS id FROM sqlite_sequence WHERE name = 'revocations'";

/// A row of the answer; nothing but `xmin` where there is no revocation.
#[derive(FromQueryResult)]
struct Reading {
    xmin: i64,
    kind: Option<String>,
    target: Option<String>,
    min_epoch: Option<i64>,
    expires_at: Option<i64>,
}

#[async_trait]
impl Revocations for Database {
    async fn read(&self, from: RevocationCursor, now: Timestamp) -> StoreResult<RevocationPage> {
        match (self.backend(), from == RevocationCursor::default()) {
            (DbBackend::Postgres, true) => self.run_within(WHOLE_TABLE, || self.read_all_of_postgres(now)).await,
            (DbBackend::Postgres, false) => self.run(|| read_postgres(&self.reader, from, now)).await,
            (_, true) => self.run_within(WHOLE_TABLE, || self.read_sqlite(from, now)).await,
            (_, false) => self.run(|| self.read_sqlite(from, now)).await,
        }
    }

    async fn since(&self, cursor: RevocationCursor, now: Timestamp, limit: u32) -> StoreResult<RevocationGap> {
        if self.backend() == DbBackend::Postgres {
            self.run(|| self.since_postgres(cursor, now, limit)).await
        } else {
            self.run(|| self.since_sqlite(cursor, now, limit)).await
        }
    }
}

impl Database {
    async fn read_all_of_postgres(&self, now: Timestamp) -> Result<RevocationPage, Fault> {
        let transaction = self.reader.begin().await?;
        transaction.execute_unprepared(WHOLE_TABLE_POSTGRES).await?;
        let page = read_postgres(&transaction, RevocationCursor::default(), now).await?;
        transaction.commit().await?;
        Ok(page)
    }

    async fn since_postgres(
        &self,
        cursor: RevocationCursor,
        now: Timestamp,
        limit: u32,
    ) -> Result<RevocationGap, Fault> {
        let values = [cursor.0.into(), now.as_millis().into(), (i64::from(limit) + 1).into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, SINCE_POSTGRES, values);
        let rows = Reading::find_by_statement(statement).all(&self.reader).await?;
        if rows.first().is_none_or(|row| row.xmin < cursor.0) {
            return Ok(RevocationGap::TooWide);
        }
        gap(rows.into_iter().filter_map(Reading::into_revocation), limit)
    }

    async fn since_sqlite(&self, cursor: RevocationCursor, now: Timestamp, limit: u32) -> Result<RevocationGap, Fault> {
        let last = Statement::from_string(DbBackend::Sqlite, LAST_ID_SQLITE);
        let last = self.reader.query_one_raw(last).await?.ok_or(Fault::Contended)?;
        if last.try_get::<i64>("", "id")? < cursor.0 {
            return Ok(RevocationGap::TooWide);
        }
        let rows = after(cursor, now).limit(u64::from(limit) + 1).all(&self.reader).await?;
        gap(rows.into_iter().map(revocation::Model::parse), limit)
    }

    /// The one writer commits in the order of the ids, which are never used twice.
    async fn read_sqlite(&self, from: RevocationCursor, now: Timestamp) -> Result<RevocationPage, Fault> {
        let mut rows = after(from, now).stream(&self.reader).await?;
        let (mut revocations, mut cursor) = (Vec::new(), from);
        while let Some(row) = rows.try_next().await? {
            cursor = RevocationCursor(row.id);
            revocations.push(row.parse()?);
        }
        Ok(RevocationPage { revocations, cursor })
    }
}

async fn read_postgres<C: ConnectionTrait + StreamTrait>(
    connection: &C,
    from: RevocationCursor,
    now: Timestamp,
) -> Result<RevocationPage, Fault> {
    let values = [from.0.into(), now.as_millis().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, READ_POSTGRES, values);
    let mut rows = Reading::find_by_statement(statement).stream(connection).await?;
    let (mut revocations, mut cursor) = (Vec::new(), None);
    // Row by row: there may be a million, and what they leave of the heap's small blocks is never given back.
    while let Some(row) = rows.try_next().await? {
        cursor = Some(RevocationCursor(row.xmin));
        revocations.extend(row.into_revocation().transpose()?);
    }
    Ok(RevocationPage { revocations, cursor: cursor.ok_or(Fault::Contended)? })
}

/// What lives and has a later id.
fn after(cursor: RevocationCursor, now: Timestamp) -> Select<revocation::Entity> {
    revocation::Entity::find()
        .filter(revocation::Column::Id.gt(cursor.0))
        .filter(revocation::Column::ExpiresAt.gt(now.as_millis()))
        .order_by_asc(revocation::Column::Id)
}

/// Too wide where there is one more than the limit.
fn gap(rows: impl Iterator<Item = Result<Revocation, Fault>>, limit: u32) -> Result<RevocationGap, Fault> {
    let missed: Vec<_> = rows.collect::<Result<_, _>>()?;
    let fits = u32::try_from(missed.len()).is_ok_and(|count| count <= limit);
    Ok(if fits { RevocationGap::Missed(missed) } else { RevocationGap::TooWide })
}

impl revocation::Model {
    fn parse(self) -> Result<Revocation, Fault> {
        parse(&self.kind, self.target, self.min_epoch, self.expires_at)
    }
}

impl Reading {
    fn into_revocation(self) -> Option<Result<Revocation, Fault>> {
        let (kind, target, expires_at) = (self.kind?, self.target?, self.expires_at?);
        Some(parse(&kind, target, self.min_epoch, expires_at))
    }
}

fn parse(kind: &str, target: String, min_epoch: Option<i64>, expires_at: i64) -> Result<Revocation, Fault> {
    let target = match (kind, min_epoch) {
        (SESSION, None) => RevocationTarget::Session(SessionId::from_uuid(uuid(&target)?)),
        (USER, Some(epoch)) => {
            RevocationTarget::User { id: UserId::from_uuid(uuid(&target)?), min_epoch: Epoch(epoch) }
        }
        (KEY, None) => RevocationTarget::Key(target),
        _ => return Err(Fault::Corrupt("revocation")),
    };
    Ok(Revocation { target, expires_at: Timestamp::from_millis(expires_at) })
}

fn uuid(text: &str) -> Result<uuid::Uuid, Fault> {
    text.parse().map_err(|_| Fault::Corrupt("id in a revocation"))
}

/// Writes revocations into the transaction of what causes them.
pub(super) async fn write(connection: &impl ConnectionTrait, revocations: &[Revocation]) -> Result<(), DbErr> {
    if revocations.is_empty() {
        return Ok(());
    }
    revocation::Entity::insert_many(revocations.iter().map(row)).exec_without_returning(connection).await.map(|_| ())
}

fn row(revocation: &Revocation) -> revocation::ActiveModel {
    let (kind, target, min_epoch) = match &revocation.target {
        RevocationTarget::Session(id) => (SESSION, id.to_string(), None),
        RevocationTarget::User { id, min_epoch } => (USER, id.to_string(), Some(min_epoch.0)),
        RevocationTarget::Key(id) => (KEY, id.clone(), None),
    };
    revocation::ActiveModel {
        id: NotSet,
        kind: Set(kind.to_owned()),
        target: Set(target),
        min_epoch: Set(min_epoch),
        expires_at: Set(revocation.expires_at.as_millis()),
    }
}
