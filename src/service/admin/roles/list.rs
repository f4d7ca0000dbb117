//! Lists the roles.

use std::sync::Arc;

use crate::domain::ports::roles::Roles;
use crate::domain::role::Role;
use crate::service::error::ServiceResult;

/// Lists every role, by name.
pub struct ListRoles {
    pub roles: Arc<dyn Roles>,
}

impl ListRoles {
    pub async fn run(&self) -> ServiceResult<Vec<Role>> {
        Ok(self.roles.list().await?)
    }
}
