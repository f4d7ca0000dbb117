//! The use cases that the command line shares with the edge.

use std::sync::Arc;

use super::{Shared, UseCases};
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::service::admin::audit::tail::TailAudit;
use crate::service::admin::rights::disable_user::DisableUser;
use crate::service::admin::rights::enable_user::EnableUser;
use crate::service::admin::rights::grant_role::GrantRole;
use crate::service::admin::signing_keys::list::ListSigningKeys;
use crate::service::admin::signing_keys::revoke::RevokeSigningKey;
use crate::service::admin::signing_keys::rotate::RotateSigningKey;
use crate::service::admin::users::create_administrator::CreateAdministrator;
use crate::service::admin::users::export::ExportUsers;
use crate::service::admin::users::import::ImportUsers;
use crate::service::admin::users::list::ListUsers;
use crate::service::admin::users::reset_mfa::ResetUserMfa;
use crate::service::keys::rotate_master::RotateMasterKey;

/// What the operator can do at the command line.
pub struct ConsoleApi {
    pub create_administrator: CreateAdministrator,
    pub grant_role: GrantRole,
    pub list_users: ListUsers,
    pub import_users: Arc<ImportUsers>,
    pub export_users: ExportUsers,
    pub disable_user: DisableUser,
    pub enable_user: EnableUser,
    pub reset_user_mfa: ResetUserMfa,
    pub list_signing_keys: ListSigningKeys,
    pub rotate_signing_key: RotateSigningKey,
    pub revoke_signing_key: RevokeSigningKey,
    pub rotate_master_key: RotateMasterKey,
    pub tail_audit: TailAudit,
}

impl Shared {
    pub(super) fn create_administrator(
        &self,
        settings: &Settings,
        parts: &Parts,
        stores: &Stores,
    ) -> CreateAdministrator {
        CreateAdministrator {
            directory: Arc::clone(&stores.database) as _,
            hasher: Arc::clone(&self.hasher),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            policy: settings.service.passwords,
        }
    }
}

impl UseCases {
    /// What the command line stands on.
    pub fn into_console(self, stores: &Stores) -> ConsoleApi {
        let admin = self.admin;
        ConsoleApi {
            create_administrator: self.create_administrator,
            grant_role: admin.roles.grant,
            list_users: admin.users.list,
            import_users: admin.user_transfer.import,
            export_users: admin.user_transfer.export,
            disable_user: admin.users.disable,
            enable_user: admin.users.enable,
            reset_user_mfa: admin.users.reset_mfa,
            list_signing_keys: admin.signing_keys.list,
            rotate_signing_key: admin.signing_keys.rotate,
            revoke_signing_key: admin.signing_keys.revoke,
            rotate_master_key: RotateMasterKey { ring: self.ring },
            tail_audit: TailAudit { trail: Arc::clone(&stores.database) as _ },
        }
    }
}
