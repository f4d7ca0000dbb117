//! The use cases that speak of accounts.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::grpc::admin::user_transfer::UserTransferApi;
use crate::grpc::admin::users::UsersApi;
use crate::service::admin::rights::ChangeRights;
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::admin::rights::disable_user::DisableUser;
use crate::service::admin::rights::enable_user::EnableUser;
use crate::service::admin::users::create::CreateUser;
use crate::service::admin::users::export::ExportUsers;
use crate::service::admin::users::get::GetUser;
use crate::service::admin::users::import::ImportUsers;
use crate::service::admin::users::list::ListUsers;
use crate::service::admin::users::require_reset::RequirePasswordReset;
use crate::service::admin::users::update::UpdateUser;

impl Shared {
    pub(super) fn users(
        &self,
        parts: &Parts,
        stores: &Stores,
        change_rights: &Arc<ChangeRights>,
        delete: &Arc<DeleteUser>,
    ) -> UsersApi {
        let (clock, entropy) = (|| Arc::clone(&parts.clock), || Arc::clone(&parts.entropy));
        let directory = || Arc::clone(&stores.database) as _;
        UsersApi {
            create: CreateUser { directory: directory(), clock: clock(), entropy: entropy() },
            get: GetUser { users: Arc::clone(&stores.database) as _, describer: Arc::clone(&self.factors.describer) },
            list: ListUsers { directory: directory(), keys: Arc::clone(&self.keys), entropy: entropy() },
            update: UpdateUser { directory: directory(), clock: clock() },
            delete: Arc::clone(delete),
            disable: DisableUser { change: Arc::clone(change_rights) },
            enable: EnableUser { change: Arc::clone(change_rights) },
            require_reset: RequirePasswordReset {
                directory: directory(),
                issuer: Arc::clone(&self.issuer),
                revoker: Arc::clone(&self.revoker),
                clock: clock(),
            },
            reset_mfa: self.reset_mfa(parts),
        }
    }

    pub(super) fn user_transfer(&self, parts: &Parts, stores: &Stores) -> UserTransferApi {
        let import = ImportUsers {
            transfer: Arc::clone(&stores.database) as _,
            hasher: Arc::clone(&self.hasher),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
        };
        let export = ExportUsers {
            transfer: Arc::clone(&stores.database) as _,
            audit: Arc::clone(&stores.database) as _,
            clock: Arc::clone(&parts.clock),
        };
        UserTransferApi { import: Arc::new(import), export }
    }
}
