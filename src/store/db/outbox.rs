//! The outbox.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};

use super::database::Database;
use super::entity::outbox;
use super::fault::Fault;
use super::one_time_tokens::store_token;
use super::users::{stored_email, stored_name};
use super::words::Word as _;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::id::{MailId, UserId};
use crate::domain::mail::{Backlog, MailKind, MailOwner, Notice, PreparedMail, QueuedMail};
use crate::domain::origin::Source;
use crate::domain::ports::{AuditContext, Outbox, Preparation, StoreResult};
use crate::domain::user::Epoch;

#[async_trait]
impl Outbox for Database {
    async fn enqueue(&self, kind: MailKind, email: &Email, context: &AuditContext) -> StoreResult<()> {
        self.run(|| self.try_enqueue(kind, email, context)).await
    }

    async fn lease(&self, limit: u32, lease: Duration, now: Timestamp) -> StoreResult<Vec<QueuedMail>> {
        self.run(|| self.try_lease(limit, lease, now)).await
    }

    async fn prepare(&self, mail: PreparedMail, tokens_per_hour: u32, now: Timestamp) -> StoreResult<Preparation> {
        self.run(|| self.try_prepare(&mail, tokens_per_hour, now)).await
    }

    async fn postpone(&self, id: MailId, until: Timestamp) -> StoreResult<()> {
        self.run(|| self.try_postpone(id, until)).await
    }

    async fn backlog(&self) -> StoreResult<Backlog> {
        self.run(|| self.try_backlog()).await
    }

    async fn remove(&self, id: MailId) -> StoreResult<()> {
        self.run(|| async {
            outbox::Entity::delete_by_id(id.as_uuid()).exec(&self.writer).await?;
            Ok(())
        })
        .await
    }
}

impl Database {
    /// Queues a mail for whoever has the address when the worker comes to it.
    pub(super) async fn queue(
        &self,
        connection: &impl ConnectionTrait,
        kind: MailKind,
        email: &Email,
        at: Timestamp,
    ) -> Result<(), DbErr> {
        insert(connection, self.waiting(kind, email, at)).await
    }

    /// Queues a mail about a known account, with where it was caused from.
    pub(super) async fn queue_notice(
        &self,
        connection: &impl ConnectionTrait,
        notice: &Notice,
        context: &AuditContext,
    ) -> Result<(), DbErr> {
        let row = outbox::ActiveModel {
            user_id: Set(Some(notice.owner.user_id.as_uuid())),
            user_epoch: Set(Some(notice.owner.epoch.0)),
            source: Set(source(context)),
            device: Set(Some(notice.device.as_str().to_owned())),
            ..self.waiting(notice.kind, &notice.to, context.at)
        };
        insert(connection, row).await
    }

    fn waiting(&self, kind: MailKind, email: &Email, at: Timestamp) -> outbox::ActiveModel {
        outbox::ActiveModel {
            id: Set(MailId::generate_at(at, self.entropy.as_ref()).as_uuid()),
            kind: Set(kind.word().to_owned()),
            email: Set(email.as_str().to_owned()),
            email_key: Set(email.key().to_owned()),
            sealed: Set(None),
            attempts: Set(0),
            queued_at: Set(at.as_millis()),
            due_at: Set(at.as_millis()),
            user_id: Set(None),
            user_epoch: Set(None),
            source: Set(None),
            device: Set(None),
        }
    }

    /// Looks nothing up: the effort is the same for every address.
    async fn try_enqueue(&self, kind: MailKind, email: &Email, context: &AuditContext) -> Result<(), Fault> {
        let transaction = self.begin().await?;
        let row = outbox::ActiveModel { source: Set(source(context)), ..self.waiting(kind, email, context.at) };
        insert(&transaction, row).await?;
        let requested = (kind == MailKind::PasswordReset).then_some(AuditEvent {
            kind: AuditKind::ResetRequested,
            outcome: AuditOutcome::Success,
            actor: None,
            subject: None,
            session: None,
            detail: None,
        });
        self.write_events(&transaction, context, requested).await?;
        Ok(transaction.commit().await?)
    }

    /// One statement. PostgreSQL skips what another worker is just taking. A lease counts as an attempt whatever comes of
    /// it: a mail that kills its worker must not come back for ever.
    async fn try_lease(&self, limit: u32, lease: Duration, now: Timestamp) -> Result<Vec<QueuedMail>, Fault> {
        let due = Query::select()
            .column(outbox::Column::Id)
            .from(outbox::Entity)
            .and_where(outbox::Column::DueAt.lte(now.as_millis()))
            .order_by(outbox::Column::DueAt, sea_orm::Order::Asc)
            .order_by(outbox::Column::Id, sea_orm::Order::Asc)
            .limit(u64::from(limit))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .take();
        let mut rows = outbox::Entity::update_many()
            .col_expr(outbox::Column::DueAt, Expr::val(now.after(lease).as_millis()))
            .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
            .filter(outbox::Column::Id.in_subquery(due))
            .exec_with_returning(&self.writer)
            .await?;
        // What an UPDATE returns has no order.
        rows.sort_by_key(|row| (row.queued_at, row.id));
        rows.into_iter().map(queued_mail).collect()
    }

    async fn try_prepare(&self, mail: &PreparedMail, per_hour: u32, now: Timestamp) -> Result<Preparation, Fault> {
        let transaction = self.begin().await?;
        if let Some(token) = &mail.token {
            match store_token(&transaction, token, per_hour, now).await? {
                Preparation::Stored => {}
                Preparation::TooMany => return Ok(Preparation::TooMany),
            }
        }
        let stored = outbox::Entity::update_many()
            .col_expr(outbox::Column::Sealed, Expr::val(mail.sealed.clone()))
            .filter(outbox::Column::Id.eq(mail.id.as_uuid()))
            .exec(&transaction)
            .await?;
        if stored.rows_affected == 0 {
            return Err(Fault::Overtaken);
        }
        transaction.commit().await?;
        Ok(Preparation::Stored)
    }

    async fn try_backlog(&self) -> Result<Backlog, Fault> {
        let counted: Option<(i64, Option<i64>)> = outbox::Entity::find()
            .select_only()
            .expr(outbox::Column::Id.count())
            .expr(outbox::Column::QueuedAt.min())
            .into_tuple()
            .one(&self.reader)
            .await?;
        let (mails, oldest) = counted.ok_or(Fault::Corrupt("count of mails"))?;
        Ok(Backlog { mails: mails.unsigned_abs(), oldest: oldest.map(Timestamp::from_millis) })
    }

    async fn try_postpone(&self, id: MailId, until: Timestamp) -> Result<(), Fault> {
        outbox::Entity::update_many()
            .col_expr(outbox::Column::DueAt, Expr::val(until.as_millis()))
            .filter(outbox::Column::Id.eq(id.as_uuid()))
            .exec(&self.writer)
            .await?;
        Ok(())
    }
}

async fn insert(connection: &impl ConnectionTrait, row: outbox::ActiveModel) -> Result<(), DbErr> {
    outbox::Entity::insert(row).exec_without_returning(connection).await.map(|_| ())
}

fn source(context: &AuditContext) -> Option<String> {
    context.origin.source.map(|source| source.to_string())
}

/// The mail as it was before this lease, which has counted itself.
fn queued_mail(row: outbox::Model) -> Result<QueuedMail, Fault> {
    let owner = row
        .user_id
        .zip(row.user_epoch)
        .map(|(id, epoch)| MailOwner { user_id: UserId::from_uuid(id), epoch: Epoch(epoch) });
    let source = row.source.map(|text| text.parse().map(Source::new)).transpose();
    Ok(QueuedMail {
        id: MailId::from_uuid(row.id),
        kind: MailKind::parse(&row.kind)?,
        requested_for: stored_email(&row.email)?,
        owner,
        source: source.map_err(|_| Fault::Corrupt("source of a mail"))?,
        device: stored_name(row.device.as_deref().unwrap_or_default())?,
        sealed: row.sealed,
        attempts: u32::try_from(row.attempts - 1).map_err(|_| Fault::Corrupt("attempts of a mail"))?,
        queued_at: Timestamp::from_millis(row.queued_at),
    })
}
