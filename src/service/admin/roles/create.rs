//! Creates a role.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::ports::roles::{RoleCreation, Roles};
use crate::domain::role::{Role, RoleDescription, RoleName};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Creates a role.
pub struct CreateRole {
    pub roles: Arc<dyn Roles>,
    pub clock: Arc<dyn Clock>,
}

/// The role that shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRoleRequest {
    pub name: RoleName,
    pub description: RoleDescription,
}

impl CreateRole {
    pub async fn run(&self, request: CreateRoleRequest, by: &Initiator) -> ServiceResult<Role> {
        let context = by.context(self.clock.now());
        let role = Role { name: request.name, description: request.description, created_at: context.at };
        match self.roles.create(&role, &context).await? {
            RoleCreation::TooMany => Err(ServiceError::LimitReached),
            RoleCreation::Taken => Err(ServiceError::RoleTaken),
            RoleCreation::Created => {
                let created = AuditEvent::by_actor(AuditKind::RoleCreated, None, &context);
                security_event::log(&AuditEvent { detail: Some(role.name.to_string()), ..created }, &by.origin);
                Ok(role)
            }
        }
    }
}
