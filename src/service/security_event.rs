//! Security events in the log, at info, by the OWASP logging vocabulary; ids only, never an address or a token.

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::ports::Actor;
use crate::domain::revocation::{Revocation, RevocationTarget};

/// An event without anybody in it.
pub fn event(kind: AuditKind, outcome: AuditOutcome) -> AuditEvent {
    AuditEvent { kind, outcome, actor: None, subject: None, session: None, detail: None }
}

/// An event of a user who acts on their own account.
pub fn event_of(kind: AuditKind, outcome: AuditOutcome, user: UserId, session: Option<SessionId>) -> AuditEvent {
    AuditEvent { actor: Some(user.into()), subject: Some(user.into()), session, ..event(kind, outcome) }
}

/// One event for each session of the user that the revocations name, by the actor or else by the user.
pub fn sessions_ended(user: UserId, actor: Option<Actor>, revocations: &[Revocation]) -> Vec<AuditEvent> {
    let ended = revocations.iter().filter_map(|revocation| match revocation.target {
        RevocationTarget::Session(session) => Some(session),
        RevocationTarget::User { .. } | RevocationTarget::Key(_) => None,
    });
    let by_user = |session| event_of(AuditKind::SessionEnded, AuditOutcome::Success, user, Some(session));
    let actor = actor.map(|actor| actor.id);
    ended.map(by_user).map(|event| AuditEvent { actor: actor.or(event.actor), ..event }).collect()
}

/// Tells the log of several events.
pub fn log_all(events: &[AuditEvent], origin: &Origin) {
    for event in events {
        log(event, origin);
    }
}

/// Tells the log of an event, whether or not the audit trail holds it too.
pub fn log(event: &AuditEvent, origin: &Origin) {
    tracing::info!(
        target: "keystead::security",
        event = event.kind.as_str(),
        success = event.outcome == AuditOutcome::Success,
        actor = event.actor.map(tracing::field::display),
        subject = event.subject.map(tracing::field::display),
        session = event.session.map(tracing::field::display),
        source = origin.source.map(tracing::field::display),
        trace_id = %origin.trace_id,
        detail = event.detail.as_deref(),
        "security event"
    );
}
