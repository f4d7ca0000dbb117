//! Identities at providers, and the accounts that they open.

mod adopt;
mod link;
mod unlinked;

use async_trait::async_trait;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    TryInsertResult,
};
pub(super) use unlinked::{unlink_all, unlink_all_for_good};

use super::database::Database;
use super::entity::identity::{ActiveModel, Column, Entity, Model};
use super::fault::Fault;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::{
    Adoption, Arrival, Identity, Issuer, LinkedIdentity, Linking, NewLink, ProviderName, Subject, Unlink, Unlinking,
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
    let key = (identity.issuer.as_str().to_owned(), identity.subject.as_str().to_owned());
    Ok(Entity::find_by_id(key).one(connection).await?)
}

/// Stores the link. Somebody who was faster makes the whole operation begin anew: it then finds theirs.
async fn insert(connection: &impl ConnectionTrait, linked: &LinkedIdentity, user: uuid::Uuid) -> Result<(), Fault> {
    let row = ActiveModel {
        issuer: Set(linked.identity.issuer.as_str().to_owned()),
        subject: Set(linked.identity.subject.as_str().to_owned()),
        id: Set(linked.id.as_uuid()),
        provider: Set(linked.provider.to_string()),
        user_id: Set(user),
        linked_at: Set(linked.linked_at.as_millis()),
    };
    let unless_there = OnConflict::columns([Column::Issuer, Column::Subject]).do_nothing().to_owned();
    match Entity::insert(row).on_conflict(unless_there).try_insert().exec_without_returning(connection).await? {
        TryInsertResult::Inserted(1) => Ok(()),
        TryInsertResult::Inserted(_) | TryInsertResult::Conflicted | TryInsertResult::Empty => Err(Fault::Contended),
    }
}

fn linked(row: &Model) -> Result<LinkedIdentity, Fault> {
    let provider = ProviderName::parse(&row.provider).map_err(|_| Fault::Corrupt("provider of an identity"))?;
    let issuer = Issuer::parse(&row.issuer).map_err(|_| Fault::Corrupt("issuer of an identity"))?;
    let subject = Subject::parse(&row.subject).map_err(|_| Fault::Corrupt("subject of an identity"))?;
    Ok(LinkedIdentity {
        id: IdentityId::from_uuid(row.id),
        provider,
        identity: Identity { issuer, subject },
        linked_at: Timestamp::from_millis(row.linked_at),
    })
}

/// Something that befell the user's account, at the word of the context's actor or else of the user.
fn told(kind: AuditKind, user: UserId, provider: &str, context: &AuditContext) -> AuditEvent {
    let by_user = audit::by_user(kind, user, context.actor.and_then(|actor| actor.session));
    let actor = context.actor.map(|actor| actor.id).or(by_user.actor);
    AuditEvent { actor, detail: Some(provider.to_owned()), ..by_user }
}
