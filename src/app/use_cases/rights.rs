//! The use cases that speak of roles, and of what accounts may do.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::grpc::admin::roles::RolesApi;
use crate::service::admin::rights::ChangeRights;
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::admin::rights::grant_role::GrantRole;
use crate::service::admin::rights::revoke_role::RevokeRole;
use crate::service::admin::roles::create::CreateRole;
use crate::service::admin::roles::delete::DeleteRole;
use crate::service::admin::roles::list::ListRoles;

impl Shared {
    pub(super) fn change_rights(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> Arc<ChangeRights> {
        Arc::new(ChangeRights {
            rights: Arc::clone(&stores.database) as _,
            revoker: Arc::clone(&self.revoker),
            clock: Arc::clone(&parts.clock),
            token_reach: settings.service.tokens.reach(),
        })
    }

    pub(super) fn delete_user(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> DeleteUser {
        DeleteUser {
            users: Arc::clone(&stores.database) as _,
            rights: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            revoker: Arc::clone(&self.revoker),
            clock: Arc::clone(&parts.clock),
            token_reach: settings.service.tokens.reach(),
        }
    }
}

pub(super) fn roles(parts: &Parts, stores: &Stores, change: &Arc<ChangeRights>) -> RolesApi {
    RolesApi {
        create: CreateRole { roles: Arc::clone(&stores.database) as _, clock: Arc::clone(&parts.clock) },
        list: ListRoles { roles: Arc::clone(&stores.database) as _ },
        delete: DeleteRole { roles: Arc::clone(&stores.database) as _, clock: Arc::clone(&parts.clock) },
        grant: GrantRole { change: Arc::clone(change) },
        revoke: RevokeRole { change: Arc::clone(change) },
    }
}
