//! Security events in the log, at info, by the OWASP logging vocabulary; ids only, never an address or a token.

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::id::{PrincipalId, SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::ports::Actor;
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::domain::session::Session;
use crate::domain::user::User;

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
    let line = Line {
        event: event.kind.as_str(),
        is_success: event.outcome == AuditOutcome::Success,
        actor: event.actor,
        subject: event.subject,
        session: event.session,
        generation: None,
        detail: event.detail.as_deref(),
    };
    tell(&line, origin);
}

/// Tells the log of a refresh: it comes too often for a row of the trail.
pub fn log_refreshed(session: &Session, user: &User, origin: &Origin) {
    let line = Line {
        event: "authn_token_refreshed",
        is_success: true,
        actor: None,
        subject: Some(user.id.into()),
        session: Some(session.id),
        generation: Some(session.generation),
        detail: None,
    };
    tell(&line, origin);
}

/// What the log is told beside who asked.
struct Line<'a> {
    event: &'a str,
    is_success: bool,
    actor: Option<PrincipalId>,
    subject: Option<PrincipalId>,
    session: Option<SessionId>,
    generation: Option<u64>,
    detail: Option<&'a str>,
}

fn tell(line: &Line<'_>, origin: &Origin) {
    tracing::info!(
        target: "keystead::security",
        event = line.event,
        success = line.is_success,
        actor = line.actor.map(tracing::field::display),
        subject = line.subject.map(tracing::field::display),
        session = line.session.map(tracing::field::display),
        generation = line.generation,
        source = origin.source.map(tracing::field::display),
        trace_id = %origin.trace_id,
        detail = line.detail,
        "security event"
    );
}
