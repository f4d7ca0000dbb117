//! Removes rows that have had their time, a few at once, and keeps how far the audit trail is gone.

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _, IntoColumnRef, LockBehavior, LockType, Query, SelectStatement};
use sea_orm::{ColumnTrait as _, Condition, DatabaseTransaction, EntityTrait, Iden, Order, QueryFilter as _};

use super::audit_trail::cursor_of;
use super::database::Database;
use super::entity::{
    audit_event, audit_horizon, known_source, login_failure, oauth_flow, one_time_token, revocation, session,
    sign_in_challenge,
};
use super::fault::Fault;
use crate::domain::audit_trail::AuditCursor;
use crate::domain::clock::Timestamp;
use crate::domain::ports::StoreResult;
use crate::domain::ports::retention::{Perishable, Retention};

#[async_trait]
impl Retention for Database {
    async fn purge(&self, what: Perishable, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.run(|| self.try_purge(what, before, limit)).await
    }
}

impl Database {
    async fn try_purge(&self, what: Perishable, before: Timestamp, limit: u32) -> Result<u64, Fault> {
        let due = Due { before, limit };
        match what {
            Perishable::AuditEvents => self.purge_events(due).await,
            Perishable::Revocations => {
                use revocation::Column::{ExpiresAt, Id};
                let oldest = due.oldest(revocation::Entity, [Id], ExpiresAt);
                self.delete::<revocation::Entity>(Id.in_subquery(oldest)).await
            }
            Perishable::OneTimeTokens => {
                use one_time_token::Column::{ExpiresAt, Hash};
                let oldest = due.oldest(one_time_token::Entity, [Hash], ExpiresAt);
                self.delete::<one_time_token::Entity>(Hash.in_subquery(oldest)).await
            }
            Perishable::OAuthFlows => {
                use oauth_flow::Column::{ExpiresAt, State};
                let oldest = due.oldest(oauth_flow::Entity, [State], ExpiresAt);
                self.delete::<oauth_flow::Entity>(State.in_subquery(oldest)).await
            }
            Perishable::Sessions => {
                use session::Column::{ExpiresAt, Id};
                self.delete::<session::Entity>(Id.in_subquery(due.oldest(session::Entity, [Id], ExpiresAt))).await
            }
            Perishable::LoginFailures => {
                use login_failure::Column::{AccountKey, UpdatedAt};
                let oldest = due.oldest(login_failure::Entity, [AccountKey], UpdatedAt);
                self.delete::<login_failure::Entity>(AccountKey.in_subquery(oldest)).await
            }
            Perishable::KnownSources => {
                use known_source::Column::{AccountKey, LastSeenAt, SourceKey};
                let oldest = due.oldest(known_source::Entity, [AccountKey, SourceKey], LastSeenAt);
                let key = Expr::tuple([Expr::col(AccountKey), Expr::col(SourceKey)]);
                self.delete::<known_source::Entity>(key.in_subquery(oldest)).await
            }
            Perishable::SignInChallenges => {
                use sign_in_challenge::Column::{ExpiresAt, Hash};
                let oldest = due.oldest(sign_in_challenge::Entity, [Hash], ExpiresAt);
                self.delete::<sign_in_challenge::Entity>(Hash.in_subquery(oldest)).await
            }
        }
    }

    async fn delete<E: EntityTrait>(&self, which: Expr) -> Result<u64, Fault> {
        Ok(E::delete_many().filter(which).exec(&self.writer).await?.rows_affected)
    }

    /// The horizon moves in the transaction that takes the events away: no reader finds a gap that it is not told of.
    async fn purge_events(&self, due: Due) -> Result<u64, Fault> {
        use audit_event::Column::{At, Id};
        let transaction = self.begin().await?;
        let gone = audit_event::Entity::delete_many()
            .filter(Id.in_subquery(due.oldest(audit_event::Entity, [Id], At)))
            .exec_with_returning(&transaction)
            .await?;
        if let Some(last) = gone.iter().map(cursor_of).max() {
            move_horizon(&transaction, last).await?;
        }
        transaction.commit().await?;
        Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
    }
}

/// Which rows are due.
#[derive(Clone, Copy)]
struct Due {
    before: Timestamp,
    limit: u32,
}

impl Due {
    /// The keys of the rows that are due. PostgreSQL locks them, and passes over those that somebody else has locked.
    fn oldest<E, C, const N: usize>(self, table: E, key: [C; N], time: C) -> SelectStatement
    where
        E: EntityTrait,
        C: Iden + IntoColumnRef + Copy + 'static,
    {
        Query::select()
            .columns(key)
            .from(table)
            .and_where(Expr::col(time).lt(self.before.as_millis()))
            .order_by(time, Order::Asc)
            .limit(u64::from(self.limit))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .take()
    }
}

/// Moves the horizon on to a place, never back.
async fn move_horizon(transaction: &DatabaseTransaction, to: AuditCursor) -> Result<(), Fault> {
    use audit_horizon::Column::{Event, Position};
    let is_before = Condition::any()
        .add(Position.lt(to.position))
        .add(Condition::all().add(Position.eq(to.position)).add(Event.lt(to.id.as_uuid())));
    audit_horizon::Entity::update_many()
        .col_expr(Position, Expr::val(to.position))
        .col_expr(Event, Expr::val(to.id.as_uuid()))
        .filter(is_before)
        .exec(transaction)
        .await?;
    Ok(())
}
