//! What becomes of a refresh token whose HMAC is right.

use crate::domain::audit::AuditKind;
use crate::domain::clock::Timestamp;
use crate::domain::ports::AuditContext;
use crate::domain::session::{Rotation, RotationOutcome, Session, Standing};

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
        match session.standing(rotation.presented, rotation.limits.grace, now) {
            Standing::Gone => RotationOutcome::Gone,
            Standing::Current => self.advance(session, &rotation, now),
            Standing::JustUsed => RotationOutcome::Repeated(session),
            Standing::Older => self.end_replayed(&rotation, context),
        }
    }

    fn advance(&mut self, mut session: Session, rotation: &Rotation, now: Timestamp) -> RotationOutcome {
        session.generation += 1;
        session.rotated_at = now;
        session.idle_expires_at = now.after(rotation.limits.idle_lifetime).min(session.expires_at);
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
