//! Server keys.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _};

use super::database::Database;
use super::entity::{key_ring, server_key};
use super::fault::Fault;
use super::revocations;
use super::words::Word as _;
use crate::domain::clock::Timestamp;
use crate::domain::key::{KeyPurpose, KeyState, KeySwap, RingChange, SigningAlgorithm, StoredKey, StoredKeys};
use crate::domain::ports::{AuditContext, Keys, StoreResult};

/// The one row of the ring's version.
const RING: i64 = 1;

#[async_trait]
impl Keys for Database {
    async fn load(&self) -> StoreResult<StoredKeys> {
        self.run(|| self.try_load_keys()).await
    }

    async fn swap(&self, expected_version: i64, change: RingChange, context: &AuditContext) -> StoreResult<KeySwap> {
        self.run(|| self.try_swap_keys(expected_version, &change, context)).await
    }
}

impl Database {
    /// The same version before and after says that the keys between them are its own.
    async fn try_load_keys(&self) -> Result<StoredKeys, Fault> {
        let version = self.ring_version().await?;
        let rows = server_key::Entity::find().order_by_asc(server_key::Column::Id).all(&self.reader).await?;
        if self.ring_version().await? != version {
            return Err(Fault::Contended);
        }
        let keys = rows.into_iter().map(stored_key).collect::<Result<_, _>>()?;
        Ok(StoredKeys { version, keys })
    }

    async fn ring_version(&self) -> Result<i64, Fault> {
        let ring = key_ring::Entity::find_by_id(RING).one(&self.reader).await?;
        ring.map(|ring| ring.version).ok_or(Fault::Corrupt("key ring without version"))
    }

    async fn try_swap_keys(
        &self,
        expected_version: i64,
        change: &RingChange,
        context: &AuditContext,
    ) -> Result<KeySwap, Fault> {
        let transaction = self.begin().await?;
        let moved = key_ring::Entity::update_many()
            .col_expr(key_ring::Column::Version, Expr::col(key_ring::Column::Version).add(1))
            .filter(key_ring::Column::Id.eq(RING))
            .filter(key_ring::Column::Version.eq(expected_version))
            .exec(&transaction)
            .await?;
        if moved.rows_affected == 0 {
            return Ok(KeySwap::Lost);
        }
        server_key::Entity::delete_many().exec(&transaction).await?;
        if !change.keys.is_empty() {
            server_key::Entity::insert_many(change.keys.iter().map(row)).exec_without_returning(&transaction).await?;
        }
        revocations::write(&transaction, &change.revocations).await?;
        self.write_events(&transaction, context, change.events.iter().cloned()).await?;
        transaction.commit().await?;
        Ok(KeySwap::Swapped)
    }
}

fn row(key: &StoredKey) -> server_key::ActiveModel {
    server_key::ActiveModel {
        id: Set(key.id.clone()),
        purpose: Set(key.purpose.word().to_owned()),
        algorithm: Set(key.algorithm.map(|algorithm| algorithm.word().to_owned())),
        state: Set(key.state.word().to_owned()),
        sealed: Set(key.sealed.clone()),
        created_at: Set(key.created_at.as_millis()),
        state_since: Set(key.state_since.as_millis()),
    }
}

fn stored_key(row: server_key::Model) -> Result<StoredKey, Fault> {
    Ok(StoredKey {
        purpose: KeyPurpose::parse(&row.purpose)?,
        algorithm: row.algorithm.as_deref().map(SigningAlgorithm::parse).transpose()?,
        state: KeyState::parse(&row.state)?,
        id: row.id,
        sealed: row.sealed,
        created_at: Timestamp::from_millis(row.created_at),
        state_since: Timestamp::from_millis(row.state_since),
    })
}
