//! The audit trail: an event goes into the transaction of the change that it tells of.

use async_trait::async_trait;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait as _};

use super::database::Database;
use super::entity::audit_event;
use super::words::Word as _;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Entropy;
use crate::domain::id::{AuditId, PrincipalId, SessionId, UserId};
use crate::domain::ports::{AuditContext, AuditLog, StoreResult};

/// Something that a user did to their own account.
pub(super) fn by_user(kind: AuditKind, user: UserId, session: Option<SessionId>) -> AuditEvent {
    AuditEvent {
        kind,
        outcome: AuditOutcome::Success,
        actor: Some(user.into()),
        subject: Some(user.into()),
        session,
        detail: None,
    }
}

/// The end of a user's session, at the word of the context's actor or else of the user.
pub(super) fn session_ended(user: UserId, session: Option<SessionId>, context: &AuditContext) -> AuditEvent {
    let by_user = by_user(AuditKind::SessionEnded, user, session);
    AuditEvent { actor: context.actor.map(|actor| actor.id).or(by_user.actor), ..by_user }
}

/// Something that was tried in vain, by whom ever.
pub(super) fn failure(kind: AuditKind, subject: Option<UserId>, session: Option<SessionId>) -> AuditEvent {
    AuditEvent {
        kind,
        outcome: AuditOutcome::Failure,
        actor: None,
        subject: subject.map(Into::into),
        session,
        detail: None,
    }
}

impl Database {
    pub(super) async fn write_events(
        &self,
        connection: &impl ConnectionTrait,
        context: &AuditContext,
        events: impl IntoIterator<Item = AuditEvent> + Send,
    ) -> Result<(), DbErr> {
        let rows: Vec<_> = events.into_iter().map(|event| row(event, context, self.entropy.as_ref())).collect();
        if rows.is_empty() {
            return Ok(());
        }
        audit_event::Entity::insert_many(rows).exec_without_returning(connection).await.map(|_| ())
    }
}

fn row(event: AuditEvent, context: &AuditContext, entropy: &dyn Entropy) -> audit_event::ActiveModel {
    audit_event::ActiveModel {
        id: Set(AuditId::generate_at(context.at, entropy).as_uuid()),
        at: Set(context.at.as_millis()),
        kind: Set(event.kind.as_str().to_owned()),
        outcome: Set(event.outcome.word().to_owned()),
        actor: Set(event.actor.map(PrincipalId::as_uuid)),
        subject: Set(event.subject.map(PrincipalId::as_uuid)),
        session: Set(event.session.map(SessionId::as_uuid)),
        detail: Set(event.detail),
        source: Set(context.origin.source.map(|source| source.to_string())),
        trace_id: Set(context.origin.trace_id.to_string()),
    }
}

#[async_trait]
impl AuditLog for Database {
    async fn record(&self, event: AuditEvent, context: &AuditContext) -> StoreResult<()> {
        self.run(|| async { Ok(self.write_events(&self.writer, context, [event.clone()]).await?) }).await
    }
}
