//! The use cases of administrators.

use std::sync::Arc;

use super::Shared;
use super::federation::Federation;
use super::rights;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::grpc::admin_service::AdminApi;
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::keys::stored_ring::StoredRing;

impl Shared {
    pub(super) fn admin(
        &self,
        settings: &Settings,
        parts: &Parts,
        stores: &Stores,
        ring: &Arc<StoredRing>,
        delete_user: &Arc<DeleteUser>,
        federation: &Federation,
    ) -> AdminApi {
        let change_rights = self.change_rights(settings, parts, stores);
        AdminApi {
            users: self.users(parts, stores, &change_rights, delete_user),
            user_sessions: self.user_sessions(parts, stores),
            user_transfer: self.user_transfer(parts, stores),
            user_identities: federation.user_identities(stores),
            roles: rights::roles(parts, stores, &change_rights),
            service_accounts: self.service_accounts(settings, parts, stores),
            signing_keys: self.signing_keys(settings, parts, ring),
            audit: self.audit(parts, stores),
        }
    }
}
