//! Second factors, and the sign-ins that wait for one.

mod change;
mod complete;
mod planted;
mod waiting;

use async_trait::async_trait;
pub(super) use change::forget_factor;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
};

use super::database::Database;
use super::entity::sign_in_challenge::{self, Column};
use super::entity::{recovery_code, totp_factor};
use super::fault::Fault;
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::ports::second_factors::SecondFactors;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::second_factor::{
    ChallengeCreation, ChallengeHash, Completion, CompletionOutcome, EnrolledFactor, FactorChange, FactorOutcome,
    MAX_WRONG_CODES, NewChallenge, OpenChallenge,
};

#[async_trait]
impl SecondFactors for Database {
    async fn is_enrolled(&self, user: UserId) -> StoreResult<bool> {
        self.run(|| async { Ok(find_factor(&self.reader, user).await?.is_some()) }).await
    }

    async fn describe(&self, user: UserId) -> StoreResult<Option<EnrolledFactor>> {
        self.run(|| self.try_describe(user)).await
    }

    async fn challenge(&self, challenge: NewChallenge, context: &AuditContext) -> StoreResult<ChallengeCreation> {
        self.run(|| self.try_challenge(&challenge, context)).await
    }

    async fn find_challenge(&self, hash: &ChallengeHash, now: Timestamp) -> StoreResult<Option<OpenChallenge>> {
        self.run(|| self.try_find_challenge(hash, now)).await
    }

    async fn complete(&self, completion: Completion, context: &AuditContext) -> StoreResult<CompletionOutcome> {
        self.run(|| self.try_complete(&completion, context)).await
    }

    async fn change(&self, change: FactorChange, context: &AuditContext) -> StoreResult<FactorOutcome> {
        self.run(|| self.try_change_factor(&change, context)).await
    }
}

impl Database {
    async fn try_describe(&self, user: UserId) -> Result<Option<EnrolledFactor>, Fault> {
        let Some(factor) = find_factor(&self.reader, user).await? else { return Ok(None) };
        let of_user = recovery_code::Column::UserId.eq(user.as_uuid());
        let left = recovery_code::Entity::find().filter(of_user).count(&self.reader).await?;
        Ok(Some(EnrolledFactor {
            enrolled_at: Timestamp::from_millis(factor.enrolled_at),
            codes_left: u32::try_from(left).map_err(|_| Fault::Corrupt("number of recovery codes"))?,
        }))
    }
}

pub(super) async fn find_factor(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<Option<totp_factor::Model>, DbErr> {
    totp_factor::Entity::find_by_id(user.as_uuid()).one(connection).await
}

/// What a challenge must be to open anything; whether its user's epoch still stands is another question.
fn usable(hash: &ChallengeHash, now: Timestamp) -> Condition {
    Condition::all()
        .add(Column::Hash.eq(hash.0.to_vec()))
        .add(Column::ExpiresAt.gt(now.as_millis()))
        .add(Column::Tries.lt(i64::from(MAX_WRONG_CODES)))
}

/// Counts a try of a challenge of the user, if it opens anything, and says how many there have been: this alone decides
/// who may go on. The last try that it allows may still succeed.
async fn count_try(
    connection: &impl ConnectionTrait,
    hash: &ChallengeHash,
    user: UserId,
    now: Timestamp,
) -> Result<Option<i64>, DbErr> {
    let counted = sign_in_challenge::Entity::update_many()
        .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
        .filter(usable(hash, now))
        .filter(Column::UserId.eq(user.as_uuid()))
        .exec_with_returning(connection)
        .await?;
    Ok(counted.first().map(|row| row.tries))
}

/// Uses up a challenge whose try has been counted in the same transaction.
async fn use_up(connection: &impl ConnectionTrait, hash: &ChallengeHash) -> Result<(), DbErr> {
    sign_in_challenge::Entity::delete_by_id(hash.0.to_vec()).exec(connection).await.map(|_| ())
}
