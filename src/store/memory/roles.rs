//! Roles.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ports::roles::{MAX_ROLES, RoleCreation, RoleDeletion, Roles};
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::role::{Role, RoleName};

#[async_trait]
impl Roles for MemoryStore {
    async fn create(&self, role: &Role, context: &AuditContext) -> StoreResult<RoleCreation> {
        let mut state = self.open()?;
        if state.roles.contains_key(&role.name) {
            return Ok(RoleCreation::Taken);
        }
        if state.roles.len() as u64 >= MAX_ROLES {
            return Ok(RoleCreation::TooMany);
        }
        state.roles.insert(role.name.clone(), role.clone());
        state.record(event(AuditKind::RoleCreated, &role.name, context), context);
        Ok(RoleCreation::Created)
    }

    async fn list(&self) -> StoreResult<Vec<Role>> {
        Ok(self.open()?.roles.values().cloned().collect())
    }

    async fn delete(&self, name: &RoleName, context: &AuditContext) -> StoreResult<RoleDeletion> {
        let mut state = self.open()?;
        if name.is_built_in() || !state.roles.contains_key(name) {
            return Ok(RoleDeletion::Unknown);
        }
        let by_user = state.users.values().any(|row| row.user.roles.iter().any(|held| held == name.as_str()));
        if by_user || state.service_accounts.values().any(|row| row.account.roles.contains(name)) {
            return Ok(RoleDeletion::InUse);
        }
        state.roles.remove(name);
        state.record(event(AuditKind::RoleDeleted, name, context), context);
        Ok(RoleDeletion::Deleted)
    }
}

fn event(kind: AuditKind, name: &RoleName, context: &AuditContext) -> AuditEvent {
    AuditEvent { detail: Some(name.to_string()), ..AuditEvent::by_actor(kind, None, context) }
}
