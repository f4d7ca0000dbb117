//! The table of revocations, and the cursor that skips nothing.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, Statement,
};

use super::database::Database;
use super::entity::revocation;
use super::fault::Fault;
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::{Revocations, StoreResult};
use crate::domain::revocation::{Revocation, RevocationCursor, RevocationPage, RevocationTarget};
use crate::domain::user::Epoch;

const SESSION: &str = "session";
const USER: &str = "user";
const KEY: &str = "key";

/// Rows and the new cursor from one snapshot: every transaction below its `xmin` has ended, and what it committed is
/// in the snapshot. The cursor that was asked for is lowered to `xmin` where a restored database counts anew.
const READ_POSTGRES: &str = "SELECT s.xmin, r.kind, r.target, r.min_epoch, r.expires_at \
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s \
    LEFT JOIN revocations r ON r.txid >= least($1, s.xmin) AND r.expires_at > $2";

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
        if self.backend() == DbBackend::Postgres {
            self.run(|| self.read_postgres(from, now)).await
        } else {
            self.run(|| self.read_sqlite(from, now)).await
        }
    }
}

impl Database {
    async fn read_postgres(&self, from: RevocationCursor, now: Timestamp) -> Result<RevocationPage, Fault> {
        let values = [from.0.into(), now.as_millis().into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, READ_POSTGRES, values);
        let rows = Reading::find_by_statement(statement).all(&self.reader).await?;
        let cursor = rows.first().map(|row| RevocationCursor(row.xmin)).ok_or(Fault::Contended)?;
        let revocations = rows.into_iter().filter_map(Reading::into_revocation).collect::<Result<_, _>>()?;
        Ok(RevocationPage { revocations, cursor })
    }

    /// The one writer commits in the order of the ids, which are never used twice.
    async fn read_sqlite(&self, from: RevocationCursor, now: Timestamp) -> Result<RevocationPage, Fault> {
        let rows = revocation::Entity::find()
            .filter(revocation::Column::Id.gt(from.0))
            .filter(revocation::Column::ExpiresAt.gt(now.as_millis()))
            .order_by_asc(revocation::Column::Id)
            .all(&self.reader)
            .await?;
        let cursor = rows.last().map_or(from, |row| RevocationCursor(row.id));
        let revocations = rows
            .into_iter()
            .map(|row| parse(&row.kind, row.target, row.min_epoch, row.expires_at))
            .collect::<Result<_, _>>()?;
        Ok(RevocationPage { revocations, cursor })
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
