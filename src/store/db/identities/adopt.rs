//! Whom somebody belongs to who has signed in at a provider.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, TryInsertResult,
};

use super::unlinked::{is_barred, unlink_all};
use super::{find, insert, told};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::id::UserId;
use crate::domain::identity::{Adoption, Arrival};
use crate::domain::mail::MailKind;
use crate::domain::ports::AuditContext;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::user::{Epoch, ROLE_USER, Revision, UserState};
use crate::store::db::attempts::forget_account;
use crate::store::db::database::Database;
use crate::store::db::email_changes::{forget_changes, notice};
use crate::store::db::entity::{user, user_role};
use crate::store::db::fault::Fault;
use crate::store::db::one_time_tokens::end_tokens_of;
use crate::store::db::second_factors::{find_factor, forget_factor};
use crate::store::db::users::{find_user, has_been_given_roles, lock_user, stored_email};
use crate::store::db::words::Word as _;
use crate::store::db::{audit, revocations, sessions};

impl Database {
    pub(super) async fn try_adopt(&self, arrival: &Arrival, context: &AuditContext) -> Result<Adoption, Fault> {
        let transaction = self.begin().await?;
        if let Some(link) = find(&transaction, &arrival.external.identity).await? {
            let known = find_user(&transaction, UserId::from_uuid(link.user_id)).await?;
            return Ok(Adoption::Known(known.ok_or(Fault::Contended)?));
        }
        let Some(provided) = &arrival.external.email else { return Ok(Adoption::EmailNotVerified) };
        let holder = user::Entity::find().filter(user::Column::EmailKey.eq(provided.email.key()));
        let Some(holder) = holder.one(&transaction).await? else {
            if !provided.verified {
                return Ok(Adoption::EmailNotVerified);
            }
            return self.create(transaction, arrival, context).await;
        };
        if !provided.verified {
            return Ok(Adoption::AccountExists);
        }
        let holder = lock_user(&transaction, UserId::from_uuid(holder.id)).await?.ok_or(Fault::Contended)?;
        if holder.email_key != provided.email.key() {
            return Err(Fault::Contended);
        }
        self.adopt_by_address(transaction, &holder, arrival, context).await
    }

    /// The account's row is locked.
    async fn adopt_by_address(
        &self,
        transaction: DatabaseTransaction,
        holder: &user::Model,
        arrival: &Arrival,
        context: &AuditContext,
    ) -> Result<Adoption, Fault> {
        let id = UserId::from_uuid(holder.id);
        if holder.state != UserState::Active.word() {
            return Ok(Adoption::Disabled(id));
        }
        // Addresses that only look alike have one key; mail tells them apart, and the provider's word is for its own.
        let word = arrival.external.email.as_ref().map(|provided| provided.email.as_str());
        if !word.is_some_and(|word| word.eq_ignore_ascii_case(&holder.email)) {
            return Ok(Adoption::AccountExists);
        }
        if is_closed_to_addresses(&transaction, holder, arrival).await? {
            return Ok(Adoption::AccountExists);
        }
        let provider = arrival.external.provider.as_str();
        let mut events = Vec::new();
        let reclaimed = if holder.email_verified {
            None
        } else {
            events.push(told(AuditKind::AccountReclaimed, id, provider, context));
            let (emptied, taken) = empty(&transaction, holder, arrival, context).await?;
            events.extend(taken);
            Some(emptied)
        };
        insert(&transaction, &arrival.link(context.at), holder.id).await?;
        let notice = notice(MailKind::IdentityLinked, holder, stored_email(&holder.email)?);
        self.queue_notice(&transaction, &notice, context).await?;
        events.push(told(AuditKind::IdentityLinked, id, provider, context));
        if let Some(emptied) = &reclaimed {
            events.push(audit::by_user(AuditKind::EmailVerified, id, None));
            let ended = emptied.ended.iter().map(|session| audit::session_ended(id, Some(*session), context));
            events.extend(ended);
        }
        self.write_events(&transaction, context, events).await?;
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("user whose row is locked"))?;
        transaction.commit().await?;
        Ok(match reclaimed {
            None => Adoption::Linked(user),
            Some(Emptied { revocations, ended }) => Adoption::Reclaimed { user, revocations, ended },
        })
    }

    async fn create(
        &self,
        transaction: DatabaseTransaction,
        arrival: &Arrival,
        context: &AuditContext,
    ) -> Result<Adoption, Fault> {
        if !arrival.may_register {
            return Ok(Adoption::RegistrationClosed);
        }
        let row = new_row(arrival, context).ok_or(Fault::Corrupt("arrival without an address"))?;
        let unless_taken = OnConflict::column(user::Column::EmailKey).do_nothing().to_owned();
        let insertion = user::Entity::insert(row).on_conflict(unless_taken).try_insert();
        match insertion.exec_without_returning(&transaction).await? {
            TryInsertResult::Inserted(1) => {}
            // Somebody was faster to register with the address.
            TryInsertResult::Inserted(_) | TryInsertResult::Conflicted | TryInsertResult::Empty => {
                return Err(Fault::Contended);
            }
        }
        let (id, provider) = (arrival.user_id, arrival.external.provider.as_str());
        let role = user_role::ActiveModel { user_id: Set(id.as_uuid()), role: Set(ROLE_USER.to_owned()) };
        user_role::Entity::insert(role).exec_without_returning(&transaction).await?;
        insert(&transaction, &arrival.link(context.at), id.as_uuid()).await?;
        let created = told(AuditKind::UserCreated, id, provider, context);
        let linked = told(AuditKind::IdentityLinked, id, provider, context);
        self.write_events(&transaction, context, [created, linked]).await?;
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("new user"))?;
        transaction.commit().await?;
        Ok(Adoption::Created(user))
    }
}

/// Whether the address alone opens nothing here, though both sides have verified it. A second factor is the owner's word
/// that one proof is not enough, and to link is to change the first; roles were given to whoever had the account then; and
/// what was taken from an account comes back by its owner's link alone.
async fn is_closed_to_addresses(
    transaction: &DatabaseTransaction,
    holder: &user::Model,
    arrival: &Arrival,
) -> Result<bool, Fault> {
    let id = UserId::from_uuid(holder.id);
    // Where nobody has verified the address, the factor is that of whoever planted the account.
    let has_factor = holder.email_verified && find_factor(transaction, id).await?.is_some();
    Ok(has_factor
        || has_been_given_roles(transaction, id).await?
        || is_barred(transaction, holder.id, &arrival.external.identity).await?)
}

/// What ended with an account's past.
struct Emptied {
    revocations: Vec<Revocation>,
    ended: Vec<crate::domain::id::SessionId>,
}

/// Takes from the account whatever anybody could get into it with, and marks its address as verified. The events of the
/// factor and the identities that were taken.
async fn empty(
    transaction: &DatabaseTransaction,
    holder: &user::Model,
    arrival: &Arrival,
    context: &AuditContext,
) -> Result<(Emptied, Vec<AuditEvent>), Fault> {
    use user::Column;
    let (id, epoch) = (UserId::from_uuid(holder.id), Epoch(holder.epoch + 1));
    user::Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(Option::<String>::None))
        .col_expr(Column::EmailVerified, Expr::val(true))
        .col_expr(Column::DisplayName, Expr::val(arrival.external.display_name.as_str()))
        .col_expr(Column::Epoch, Expr::val(epoch.0))
        .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
        .col_expr(Column::UpdatedAt, Expr::val(context.at.as_millis()))
        .filter(Column::Id.eq(holder.id))
        .exec(transaction)
        .await?;
    let ended = sessions::end_all(transaction, id, context.at).await?;
    end_tokens_of(transaction, id, context.at).await?;
    forget_changes(transaction, id).await?;
    let had_factor = forget_factor(transaction, id).await?;
    let removed = had_factor.then(|| audit::by_user(AuditKind::SecondFactorRemoved, id, None));
    forget_account(transaction, arrival.account_key).await?;
    let unlinked = unlink_all(transaction, id, context).await?;
    let target = RevocationTarget::User { id, min_epoch: epoch };
    let revocations = vec![Revocation { target, expires_at: arrival.revocations_expire_at }];
    revocations::write(transaction, &revocations).await?;
    Ok((Emptied { revocations, ended }, removed.into_iter().chain(unlinked).collect()))
}

/// An account whose address the provider vouches for; it has no password.
fn new_row(arrival: &Arrival, context: &AuditContext) -> Option<user::ActiveModel> {
    let email = &arrival.external.email.as_ref()?.email;
    Some(user::ActiveModel {
        id: Set(arrival.user_id.as_uuid()),
        email: Set(email.as_str().to_owned()),
        email_key: Set(email.key().to_owned()),
        email_verified: Set(true),
        display_name: Set(arrival.external.display_name.as_str().to_owned()),
        state: Set(UserState::Active.word().to_owned()),
        epoch: Set(Epoch::default().0),
        password_hash: Set(None),
        created_at: Set(context.at.as_millis()),
        updated_at: Set(context.at.as_millis()),
        revision: Set(Revision::default().0),
        language: Set(String::new()),
        external_id: Set(None),
    })
}
