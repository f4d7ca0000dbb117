//! Changes what the caller's account tells of them.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Caller;
use crate::domain::clock::Clock;
use crate::domain::origin::Origin;
use crate::domain::ports::profiles::{ProfileChange, ProfileOutcome, Profiles};
use crate::domain::user::{Revision, User};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Changes what the caller's account tells of them.
pub struct UpdateMe {
    pub profiles: Arc<dyn Profiles>,
    pub clock: Arc<dyn Clock>,
}

/// The new values, and the revision that they were decided on, if that matters.
#[derive(Clone, Debug)]
pub struct UpdateMeRequest {
    pub change: ProfileChange,
    pub expected: Option<Revision>,
}

impl UpdateMe {
    pub async fn run(&self, request: UpdateMeRequest, caller: &Caller, origin: &Origin) -> ServiceResult<User> {
        let user = owner(caller)?;
        let context = caller.context(origin, self.clock.now());
        let mut event = AuditEvent::by_actor(AuditKind::UserUpdated, Some(user.into()), &context);
        event.detail = Some(request.change.fields());
        match self.profiles.update(user, request.change, request.expected, &context).await? {
            ProfileOutcome::Updated(user) => {
                security_event::log(&event, origin);
                Ok(user)
            }
            ProfileOutcome::Unchanged(user) => Ok(user),
            ProfileOutcome::Moved => Err(ServiceError::EtagMismatch),
            ProfileOutcome::Unknown => Err(ServiceError::BearerRequired),
        }
    }
}
