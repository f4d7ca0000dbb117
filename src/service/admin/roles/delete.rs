//! Deletes a role that nobody has any more.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::ports::roles::{RoleDeletion, Roles};
use crate::domain::role::RoleName;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Deletes a role that nobody has any more.
pub struct DeleteRole {
    pub roles: Arc<dyn Roles>,
    pub clock: Arc<dyn Clock>,
}

impl DeleteRole {
    pub async fn run(&self, name: &RoleName, by: &Initiator) -> ServiceResult<()> {
        if name.is_built_in() {
            return Err(ServiceError::RoleBuiltIn);
        }
        let context = by.context(self.clock.now());
        match self.roles.delete(name, &context).await? {
            RoleDeletion::Unknown => Err(ServiceError::RoleUnknown),
            RoleDeletion::InUse => Err(ServiceError::RoleInUse),
            RoleDeletion::Deleted => {
                let deleted = AuditEvent::by_actor(AuditKind::RoleDeleted, None, &context);
                security_event::log(&AuditEvent { detail: Some(name.to_string()), ..deleted }, &by.origin);
                Ok(())
            }
        }
    }
}
