//! What accounts tell of their owners.

use async_trait::async_trait;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::id::UserId;
use crate::domain::ports::profiles::{ProfileChange, ProfileOutcome, Profiles};
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user::Revision;

use super::MemoryStore;
use super::state::State;

#[async_trait]
impl Profiles for MemoryStore {
    async fn update(
        &self,
        user: UserId,
        change: ProfileChange,
        expected: Option<Revision>,
        context: &AuditContext,
    ) -> StoreResult<ProfileOutcome> {
        let mut state = self.open()?;
        let Some(row) = state.users.get(&user) else { return Ok(ProfileOutcome::Unknown) };
        if expected.is_some_and(|expected| expected != row.user.revision) {
            return Ok(ProfileOutcome::Moved);
        }
        if change.is_done(&row.user) {
            return Ok(ProfileOutcome::Unchanged(row.user.clone()));
        }
        let mut event = AuditEvent::by_actor(AuditKind::UserUpdated, Some(user.into()), context);
        event.detail = Some(change.fields());
        state.apply_profile(user, change, context);
        state.record(event, context);
        Ok(state.users.get(&user).map_or(ProfileOutcome::Unknown, |row| ProfileOutcome::Updated(row.user.clone())))
    }
}

impl State {
    /// Changes the fields of the account, which is there, and raises its revision.
    pub(super) fn apply_profile(&mut self, user: UserId, change: ProfileChange, context: &AuditContext) {
        let Some(row) = self.users.get_mut(&user) else { return };
        if let Some(display_name) = change.display_name {
            row.user.display_name = display_name;
        }
        if let Some(language) = change.language {
            row.user.language = language;
        }
        if let Some(verified) = change.email_verified {
            row.user.email_verified = verified;
        }
        row.user.revision.0 += 1;
        row.user.updated_at = context.at;
    }
}
