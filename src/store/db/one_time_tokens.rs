//! Mailed tokens.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _,
};

use super::audit;
use super::database::Database;
use super::entity::one_time_token::{self, Column};
use super::entity::user;
use super::fault::Fault;
use super::identities::unlink_all;
use super::passwords::{Replaced, Replacement};
use super::users::{find_user, lock_user};
use super::words::Word as _;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::one_time_token::{
    NewOneTimeToken, PasswordReset, ResetOutcome, TokenHash, TokenPurpose, VerificationOutcome,
};
use crate::domain::ports::{AuditContext, OneTimeTokens, Preparation, StoreResult};
use crate::domain::user::{User, UserState};

const HOUR: Duration = Duration::from_hours(1);

#[async_trait]
impl OneTimeTokens for Database {
    async fn find(&self, hash: &TokenHash, purpose: TokenPurpose, now: Timestamp) -> StoreResult<Option<User>> {
        self.run(|| self.try_find_token(hash, purpose, now)).await
    }

    async fn reset_password(&self, reset: PasswordReset, context: &AuditContext) -> StoreResult<ResetOutcome> {
        self.run(|| self.try_reset(&reset, context)).await
    }

    async fn verify_email(&self, hash: &TokenHash, context: &AuditContext) -> StoreResult<VerificationOutcome> {
        self.run(|| self.try_verify(hash, context)).await
    }
}

impl Database {
    async fn try_find_token(
        &self,
        hash: &TokenHash,
        purpose: TokenPurpose,
        now: Timestamp,
    ) -> Result<Option<User>, Fault> {
        let token = one_time_token::Entity::find().filter(usable(hash, purpose, now)).one(&self.reader).await?;
        let Some(token) = token else { return Ok(None) };
        let user = find_user(&self.reader, UserId::from_uuid(token.user_id)).await?;
        Ok(user.filter(|user| user.state == UserState::Active && user.email.key() == token.email_key))
    }

    async fn try_reset(&self, reset: &PasswordReset, context: &AuditContext) -> Result<ResetOutcome, Fault> {
        let transaction = self.begin().await?;
        let Some(user) = use_up(&transaction, &reset.token, TokenPurpose::PasswordReset, context.at).await? else {
            self.tell_refusal(transaction, AuditKind::PasswordChanged, context).await?;
            return Ok(ResetOutcome::Refused);
        };
        let replacement = Replacement {
            hash: &reset.password_hash,
            spared: None,
            account_key: reset.account_key,
            revocation_expires_at: reset.revocation_expires_at,
        };
        let Replaced { revocations, ended } = self.replace_password(&transaction, &user, &replacement, context).await?;
        let planted_factor = self.forget_planted_factor(&transaction, &user, context).await?;
        let planted_identities = unlink_planted(&transaction, &user, context).await?;
        // Whoever has the token reads the address's mail.
        mark_verified(&transaction, &user).await?;
        let events = events_of_reset(&user, ended).into_iter();
        self.write_events(&transaction, context, events.chain(planted_factor).chain(planted_identities)).await?;
        transaction.commit().await?;
        Ok(ResetOutcome::Done { revocations })
    }

    /// Tells of a token that opened nothing; whose it was is not said, for it proved nothing.
    pub(super) async fn tell_refusal(
        &self,
        transaction: DatabaseTransaction,
        kind: AuditKind,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        self.write_events(&transaction, context, [audit::failure(kind, None, None)]).await?;
        Ok(transaction.commit().await?)
    }

    async fn try_verify(&self, hash: &TokenHash, context: &AuditContext) -> Result<VerificationOutcome, Fault> {
        let transaction = self.begin().await?;
        let Some(row) = use_up(&transaction, hash, TokenPurpose::EmailVerification, context.at).await? else {
            self.tell_refusal(transaction, AuditKind::EmailVerified, context).await?;
            return Ok(VerificationOutcome::Refused);
        };
        user::Entity::update_many()
            .col_expr(user::Column::EmailVerified, Expr::val(true))
            .col_expr(user::Column::Revision, Expr::col(user::Column::Revision).add(1))
            .col_expr(user::Column::UpdatedAt, Expr::val(context.at.as_millis()))
            .filter(user::Column::Id.eq(row.id))
            .exec(&transaction)
            .await?;
        let planted = unlink_planted(&transaction, &row, context).await?;
        let id = UserId::from_uuid(row.id);
        let verified = audit::by_user(AuditKind::EmailVerified, id, None);
        self.write_events(&transaction, context, std::iter::once(verified).chain(planted)).await?;
        let user = find_user(&transaction, id).await?.ok_or(Fault::Corrupt("user of a token"))?;
        transaction.commit().await?;
        Ok(VerificationOutcome::Done(user))
    }
}

/// Takes identities away that opened the account before anybody had proved to have its address; the events of it.
async fn unlink_planted(
    connection: &impl ConnectionTrait,
    user: &user::Model,
    context: &AuditContext,
) -> Result<Vec<AuditEvent>, DbErr> {
    if user.email_verified {
        return Ok(Vec::new());
    }
    unlink_all(connection, UserId::from_uuid(user.id), context).await
}

/// Part of a change that raises the revision.
async fn mark_verified(connection: &impl ConnectionTrait, user: &user::Model) -> Result<(), DbErr> {
    let verified = user::Entity::update_many().col_expr(user::Column::EmailVerified, Expr::val(true));
    verified.filter(user::Column::Id.eq(user.id)).exec(connection).await.map(|_| ())
}

/// What a reset changes besides the password is told too.
fn events_of_reset(user: &user::Model, ended: Vec<AuditEvent>) -> Vec<AuditEvent> {
    let id = UserId::from_uuid(user.id);
    let mut events = vec![audit::by_user(AuditKind::PasswordChanged, id, None)];
    if !user.email_verified {
        events.push(audit::by_user(AuditKind::EmailVerified, id, None));
    }
    events.extend(ended);
    events
}

/// What a token must be to open anything.
pub(super) fn usable(hash: &TokenHash, purpose: TokenPurpose, now: Timestamp) -> Condition {
    Condition::all()
        .add(Column::Hash.eq(hash.0.to_vec()))
        .add(Column::Purpose.eq(purpose.word()))
        .add(Column::EndedAt.is_null())
        .add(Column::ExpiresAt.gt(now.as_millis()))
}

/// Uses the token up for its user, whose row stays locked; `None` if it opens nothing. The conditional update alone
/// decides who of many wins; the read before it only tells whom to lock, since the user's row comes first.
async fn use_up(
    transaction: &DatabaseTransaction,
    hash: &TokenHash,
    purpose: TokenPurpose,
    now: Timestamp,
) -> Result<Option<user::Model>, Fault> {
    let token = one_time_token::Entity::find().filter(usable(hash, purpose, now)).one(transaction).await?;
    let Some(token) = token else { return Ok(None) };
    let Some(user) = lock_user(transaction, UserId::from_uuid(token.user_id)).await? else { return Ok(None) };
    if user.state != UserState::Active.word() || user.email_key != token.email_key {
        return Ok(None);
    }
    let count = end_tokens(transaction, usable(hash, purpose, now), now).await?;
    Ok((count == 1).then_some(user))
}

/// Ends every token of the user, whatever it is for.
pub(super) async fn end_tokens_of(connection: &impl ConnectionTrait, user: UserId, at: Timestamp) -> Result<(), DbErr> {
    let of_user = Condition::all().add(Column::UserId.eq(user.as_uuid()));
    end_tokens(connection, of_user, at).await.map(|_| ())
}

pub(super) async fn end_tokens(
    connection: &impl ConnectionTrait,
    which: Condition,
    now: Timestamp,
) -> Result<u64, DbErr> {
    let ended = one_time_token::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::val(now.as_millis()))
        .filter(which)
        .filter(Column::EndedAt.is_null())
        .exec(connection)
        .await?;
    Ok(ended.rows_affected)
}

/// Stores a token in the place of older ones, unless the user was mailed too many within the last hour. Older ones
/// end but stay, so that they count.
pub(super) async fn store_token(
    connection: &impl ConnectionTrait,
    token: &NewOneTimeToken,
    tokens_per_hour: u32,
    now: Timestamp,
) -> Result<Preparation, Fault> {
    lock_user(connection, token.user_id).await?.ok_or(Fault::Overtaken)?;
    let of_user =
        Condition::all().add(Column::UserId.eq(token.user_id.as_uuid())).add(Column::Purpose.eq(token.purpose.word()));
    let recent = one_time_token::Entity::find()
        .filter(of_user.clone())
        .filter(Column::CreatedAt.gt(now.before(HOUR).as_millis()))
        .count(connection)
        .await?;
    if recent >= u64::from(tokens_per_hour) {
        return Ok(Preparation::TooMany);
    }
    end_tokens(connection, of_user, now).await?;
    let is_change = token.purpose == TokenPurpose::EmailChange;
    let row = one_time_token::ActiveModel {
        hash: Set(token.hash.0.to_vec()),
        purpose: Set(token.purpose.word().to_owned()),
        user_id: Set(token.user_id.as_uuid()),
        email_key: Set(token.email.key().to_owned()),
        created_at: Set(now.as_millis()),
        expires_at: Set(token.expires_at.as_millis()),
        ended_at: Set(None),
        new_email: Set(is_change.then(|| token.email.as_str().to_owned())),
        user_epoch: Set(is_change.then_some(token.epoch.0)),
    };
    one_time_token::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(Preparation::Stored)
}
