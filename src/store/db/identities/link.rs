//! Identities that owners add to their account, and that they or an administrator take from it.

use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

use super::unlinked::{bar, unbar};
use super::{find, insert, linked, told};
use crate::domain::audit::AuditKind;
use crate::domain::id::{SessionId, UserId};
use crate::domain::identity::{LinkedIdentity, Linking, MAX_IDENTITIES, NewLink, Unlink, Unlinking};
use crate::domain::mail::MailKind;
use crate::domain::ports::AuditContext;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::user::{Epoch, UserState};
use crate::store::db::database::Database;
use crate::store::db::email_changes::notice;
use crate::store::db::entity::{identity, session, user};
use crate::store::db::fault::Fault;
use crate::store::db::users::{lock_user, stored_email};
use crate::store::db::words::Word as _;
use crate::store::db::{audit, revocations, sessions};

impl Database {
    pub(super) async fn try_link(&self, link: &NewLink, context: &AuditContext) -> Result<Linking, Fault> {
        let transaction = self.begin().await?;
        let Some(user) = owner(&transaction, link.user_id, link.session_id).await? else {
            return Ok(Linking::Refused);
        };
        if let Some(there) = find(&transaction, &link.identity).await? {
            let is_own = there.user_id == user.id;
            return if is_own { Ok(Linking::Unchanged(linked(&there)?)) } else { Ok(Linking::Taken) };
        }
        if !user.email_verified {
            return Ok(Linking::EmailNotVerified);
        }
        if count(&transaction, link.user_id).await? >= MAX_IDENTITIES {
            return Ok(Linking::TooMany);
        }
        let (provider, identity) = (link.provider.clone(), link.identity.clone());
        let new = LinkedIdentity { id: link.identity_id, provider, identity, linked_at: context.at };
        insert(&transaction, &new, user.id).await?;
        unbar(&transaction, user.id, &link.identity).await?;
        let notice = notice(MailKind::IdentityLinked, &user, stored_email(&user.email)?);
        self.queue_notice(&transaction, &notice, context).await?;
        let event = told(AuditKind::IdentityLinked, link.user_id, link.provider.as_str(), context);
        self.write_events(&transaction, context, [event]).await?;
        transaction.commit().await?;
        Ok(Linking::Linked(new))
    }

    pub(super) async fn try_unlink(&self, unlink: &Unlink, context: &AuditContext) -> Result<Unlinking, Fault> {
        let transaction = self.begin().await?;
        let user = match unlink.owner_session {
            Some(session) => owner(&transaction, unlink.user_id, session).await?,
            None => lock_user(&transaction, unlink.user_id).await?,
        };
        let Some(user) = user else { return Ok(Unlinking::Refused) };
        let of_user = identity::Entity::find().filter(identity::Column::UserId.eq(user.id));
        let row = of_user.filter(identity::Column::Id.eq(unlink.identity_id.as_uuid())).one(&transaction).await?;
        let Some(row) = row else { return Ok(Unlinking::Unknown) };
        let is_owner = unlink.owner_session.is_some();
        if is_owner && user.password_hash.is_none() && count(&transaction, unlink.user_id).await? <= 1 {
            return Ok(Unlinking::LastSignInMethod);
        }
        identity::Entity::delete_many().filter(identity::Column::Id.eq(row.id)).exec(&transaction).await?;
        bar(&transaction, std::slice::from_ref(&row)).await?;
        let (revocations, ended) = end_others(&transaction, &user, unlink, context).await?;
        let notice = notice(MailKind::IdentityUnlinked, &user, stored_email(&user.email)?);
        self.queue_notice(&transaction, &notice, context).await?;
        let provider = linked(&row)?.provider;
        let unlinked = told(AuditKind::IdentityUnlinked, unlink.user_id, &row.provider, context);
        let of_session = |session: &SessionId| audit::session_ended(unlink.user_id, Some(*session), context);
        self.write_events(&transaction, context, [unlinked].into_iter().chain(ended.iter().map(of_session))).await?;
        transaction.commit().await?;
        Ok(Unlinking::Unlinked { provider, revocations, ended })
    }
}

/// The user, whose row stays locked, if they are active and the session that asks has not ended: a bearer may outlive it
/// for a moment on other replicas.
async fn owner(
    transaction: &DatabaseTransaction,
    user: UserId,
    session: SessionId,
) -> Result<Option<user::Model>, Fault> {
    let Some(user) = lock_user(transaction, user).await? else { return Ok(None) };
    let open = session::Entity::find_by_id(session.as_uuid())
        .filter(session::Column::UserId.eq(user.id))
        .filter(session::Column::EndedAt.is_null());
    let is_open = open.count(transaction).await? == 1;
    Ok((is_open && user.state == UserState::Active.word()).then_some(user))
}

async fn count(transaction: &DatabaseTransaction, user: UserId) -> Result<u64, Fault> {
    Ok(identity::Entity::find().filter(identity::Column::UserId.eq(user.as_uuid())).count(transaction).await?)
}

/// Ends what the identity may have opened: every session but the owner's that asks, and the tokens out of all.
async fn end_others(
    transaction: &DatabaseTransaction,
    user: &user::Model,
    unlink: &Unlink,
    context: &AuditContext,
) -> Result<(Vec<Revocation>, Vec<SessionId>), Fault> {
    use user::Column;
    let epoch = Epoch(user.epoch + 1);
    user::Entity::update_many()
        .col_expr(Column::Epoch, Expr::val(epoch.0))
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(context.at.as_millis()))
        .filter(Column::Id.eq(user.id))
        .exec(transaction)
        .await?;
    let ended = sessions::end_all_but(transaction, unlink.user_id, unlink.owner_session, context.at).await?;
    let target = RevocationTarget::User { id: unlink.user_id, min_epoch: epoch };
    let revocations = vec![Revocation { target, expires_at: unlink.revocations_expire_at }];
    revocations::write(transaction, &revocations).await?;
    Ok((revocations, ended))
}
