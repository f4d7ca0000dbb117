//! What becomes of a refresh token whose HMAC is right.

use std::cmp::Ordering;

use crate::domain::audit::AuditKind;
use crate::domain::clock::Timestamp;
use crate::domain::ports::AuditContext;
use crate::domain::session::{Rotation, RotationOutcome, Session};

use super::state::State;

impl State {
    pub(super) fn rotate(&mut self, rotation: Rotation, context: &AuditContext) -> RotationOutcome {
        let now = context.at;
        let session = self.sessions.get(&rotation.session_id);
        let session = session.filter(|session| session.user_id == rotation.user_id && session.is_live(now)).cloned();
        let Some(session) = session else { return RotationOutcome::Gone };
        if self.unchanged_user(rotation.user_id, rotation.seen_epoch).is_none() {
            return RotationOutcome::UserChanged;
        }
        match rotation.presented.cmp(&session.generation) {
            Ordering::Equal => self.advance(session, &rotation, now),
            Ordering::Less if repeats(&session, &rotation, now) => RotationOutcome::Repeated(session),
            Ordering::Less => self.end_replayed(&rotation, context),
            Ordering::Greater => RotationOutcome::Gone,
        }
    }

    fn advance(&mut self, mut session: Session, rotation: &Rotation, now: Timestamp) -> RotationOutcome {
        session.generation += 1;
        session.rotated_at = now;
        session.idle_expires_at = now.after(rotation.limits.idle_lifetime);
        self.sessions.insert(session.id, session.clone());
        RotationOutcome::Rotated(session)
    }

    fn end_replayed(&mut self, rotation: &Rotation, context: &AuditContext) -> RotationOutcome {
        let session = rotation.session_id;
        self.record_failure(AuditKind::TokenReused, Some(rotation.user_id), Some(session), context);
        let revocation = self.end_session(session, rotation.revocation_expires_at, context);
        RotationOutcome::Replayed { revocation }
    }
}

/// Whether the token is the last one used, shown again within the grace window.
fn repeats(session: &Session, rotation: &Rotation, now: Timestamp) -> bool {
    rotation.presented.checked_add(1) == Some(session.generation)
        && now.distance(session.rotated_at) < rotation.limits.grace
}
