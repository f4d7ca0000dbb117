//! Identities at providers, and the accounts that they open.

mod adopt;
mod link;

use async_trait::async_trait;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    TryInsertResult,
};

use super::database::Database;
use super::entity::identity::{ActiveModel, Column, Entity, Model};
use super::fault::Fault;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::{
    Adoption, Arrival, Identity, LinkedIdentity, Linking, NewLink, ProviderName, Subject, Unlink, Unlinking,
};
use crate::domain::ports::identities::Identities;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::store::db::audit;

#[async_trait]
impl Identities for Database {
    async fn adopt(&self, arrival: &Arrival, context: &AuditContext) -> StoreResult<Adoption> {
        self.run(|| self.try_adopt(arrival, context)).await
    }

    async fn link(&self, link: &NewLink, context: &AuditContext) -> StoreResult<Linking> {
        self.run(|| self.try_link(link, context)).await
    }

    async fn list(&self, user: UserId) -> StoreResult<Vec<LinkedIdentity>> {
        self.run(|| list(&self.reader, user)).await
    }

    async fn unlink(&self, unlink: &Unlink, context: &AuditContext) -> StoreResult<Unlinking> {
        self.run(|| self.try_unlink(unlink, context)).await
    }
}

async fn list(connection: &impl ConnectionTrait, user: UserId) -> Result<Vec<LinkedIdentity>, Fault> {
    let of_user = Entity::find().filter(Column::UserId.eq(user.as_uuid()));
    let rows = of_user.order_by_asc(Column::LinkedAt).order_by_asc(Column::Id).all(connection).await?;
    rows.iter().map(linked).collect()
}

async fn find(connection: &impl ConnectionTrait, identity: &Identity) -> Result<Option<Model>, Fault> {
    let key = (identity.provider.to_string(), identity.subject.as_str().to_owned());
    Ok(Entity::find_by_id(key).one(connection).await?)
}

/// Stores the link. Somebody who was faster makes the whole operation begin anew: it then finds theirs.
async fn insert(
    connection: &impl ConnectionTrait,
    id: IdentityId,
    identity: &Identity,
    user: uuid::Uuid,
    at: Timestamp,
) -> Result<(), Fault> {
    let row = ActiveModel {
        provider: Set(identity.provider.to_string()),
        subject: Set(identity.subject.as_str().to_owned()),
        id: Set(id.as_uuid()),
        user_id: Set(user),
        linked_at: Set(at.as_millis()),
    };
    let unless_there = OnConflict::columns([Column::Provider, Column::Subject]).do_nothing().to_owned();
    match Entity::insert(row).on_conflict(unless_there).try_insert().exec_without_returning(connection).await? {
        TryInsertResult::Inserted(1) => Ok(()),
        TryInsertResult::Inserted(_) | TryInsertResult::Conflicted | TryInsertResult::Empty => Err(Fault::Contended),
    }
}

fn linked(row: &Model) -> Result<LinkedIdentity, Fault> {
    let provider = ProviderName::parse(&row.provider).map_err(|_| Fault::Corrupt("provider of an identity"))?;
    let subject = Subject::parse(&row.subject).map_err(|_| Fault::Corrupt("subject of an identity"))?;
    Ok(LinkedIdentity {
        id: IdentityId::from_uuid(row.id),
        identity: Identity { provider, subject },
        linked_at: Timestamp::from_millis(row.linked_at),
    })
}

/// Told of the owner, in whose session it was if in one.
fn told(kind: AuditKind, user: UserId, provider: &ProviderName, context: &AuditContext) -> AuditEvent {
    let session = context.actor.and_then(|actor| actor.session);
    AuditEvent { detail: Some(provider.to_string()), ..audit::by_user(kind, user, session) }
}
