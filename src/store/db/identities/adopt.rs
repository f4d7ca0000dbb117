//! Whom somebody belongs to who has signed in at a provider.

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, TryInsertResult,
};

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
use crate::store::db::entity::{identity, user, user_role};
use crate::store::db::fault::Fault;
use crate::store::db::one_time_tokens::end_tokens_of;
use crate::store::db::second_factors::forget_factor;
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
        let identity = &arrival.external.identity;
        let mut events = Vec::new();
        let reclaimed = if holder.email_verified {
            None
        } else {
            // What an administrator has given to the account was not meant for whoever comes by this way.
            if has_been_given_roles(&transaction, id).await? {
                return Ok(Adoption::AccountExists);
            }
            events.push(told(AuditKind::AccountReclaimed, id, &identity.provider, context));
            Some(empty(&transaction, holder, arrival, context).await?)
        };
        insert(&transaction, arrival.identity_id, identity, holder.id, context.at).await?;
        let notice = notice(MailKind::IdentityLinked, holder, stored_email(&holder.email)?);
        self.queue_notice(&transaction, &notice, context).await?;
        events.push(told(AuditKind::IdentityLinked, id, &identity.provider, context));
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
        let (id, identity) = (arrival.user_id, &arrival.external.identity);
        let role = user_role::ActiveModel { user_id: Set(id.as_uuid()), role: Set(ROLE_USER.to_owned()) };
        user_role::Entity::insert(role).exec_without_returning(&transaction).await?;
        insert(&transaction, arrival.identity_id, identity, id.as_uuid(), context.at).await?;
        let created = AuditEvent {
            detail: Some(identity.provider.to_string()),
            ..audit::by_user(AuditKind::UserCreated, id, None)
        };
        let linked = told(AuditKind::IdentityLinked, id, &identity.provider, context);
        self.write_events(&transaction, context, [created, linked]).await?;
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("new user"))?;
        transaction.commit().await?;
        Ok(Adoption::Created(user))
    }
}

/// What ended with an account's past.
struct Emptied {
    revocations: Vec<Revocation>,
    ended: Vec<crate::domain::id::SessionId>,
}

/// Takes from the account whatever anybody could get into it with, and marks its address as verified.
async fn empty(
    transaction: &DatabaseTransaction,
    holder: &user::Model,
    arrival: &Arrival,
    context: &AuditContext,
) -> Result<Emptied, Fault> {
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
    forget_factor(transaction, id).await?;
    forget_account(transaction, arrival.account_key).await?;
    identity::Entity::delete_many().filter(identity::Column::UserId.eq(holder.id)).exec(transaction).await?;
    let target = RevocationTarget::User { id, min_epoch: epoch };
    let revocations = vec![Revocation { target, expires_at: arrival.revocations_expire_at }];
    revocations::write(transaction, &revocations).await?;
    Ok(Emptied { revocations, ended })
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
