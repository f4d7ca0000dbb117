//! The use cases that speak of the caller's own account, and of sessions.

use std::sync::Arc;

use super::Shared;
use super::federation::Federation;
use super::second_factors::OwnFactor;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::grpc::account_service::AccountApi;
use crate::grpc::admin::user_sessions::UserSessionsApi;
use crate::service::account::change_password::ChangePassword;
use crate::service::account::delete_me::DeleteMe;
use crate::service::account::get_me::GetMe;
use crate::service::account::link_identity::LinkIdentity;
use crate::service::account::list_identities::ListIdentities;
use crate::service::account::list_sessions::ListSessions;
use crate::service::account::revoke_session::RevokeSession;
use crate::service::account::unlink_identity::UnlinkIdentity;
use crate::service::account::update_me::UpdateMe;
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::admin::user_sessions::list::ListUserSessions;
use crate::service::admin::user_sessions::revoke::RevokeUserSessions;

impl Shared {
    pub(super) fn account(
        &self,
        settings: &Settings,
        parts: &Parts,
        stores: &Stores,
        delete_user: &Arc<DeleteUser>,
        federation: &Federation,
    ) -> AccountApi {
        let clock = || Arc::clone(&parts.clock);
        let OwnFactor { begin_enrollment, confirm_enrollment, disable, regenerate_codes } =
            self.own_factor(parts, stores);
        AccountApi {
            begin_totp_enrollment: begin_enrollment,
            confirm_totp_enrollment: confirm_enrollment,
            disable_totp: disable,
            regenerate_recovery_codes: regenerate_codes,
            change_email: self.change_email(parts, stores),
            get_me: GetMe { users: Arc::clone(&stores.database) as _, describer: Arc::clone(&self.factors.describer) },
            update_me: UpdateMe { profiles: Arc::clone(&stores.database) as _, clock: clock() },
            change_password: ChangePassword {
                passwords: Arc::clone(&stores.database) as _,
                audit: Arc::clone(&stores.database) as _,
                hasher: Arc::clone(&self.hasher),
                guard: Arc::clone(&self.guard),
                issuer: Arc::clone(&self.issuer),
                revoker: Arc::clone(&self.revoker),
                clock: clock(),
                policy: settings.service.passwords,
            },
            list_sessions: ListSessions { sessions: Arc::clone(&stores.database) as _, clock: clock() },
            revoke_session: RevokeSession { ender: Arc::clone(&self.ender) },
            link_identity: LinkIdentity {
                start: Arc::clone(&federation.start),
                redeemer: Arc::clone(&federation.redeemer),
                identities: Arc::clone(&stores.database) as _,
                audit: Arc::clone(&stores.database) as _,
                clock: clock(),
                entropy: Arc::clone(&parts.entropy),
            },
            list_identities: ListIdentities { identities: Arc::clone(&stores.database) as _ },
            unlink_identity: UnlinkIdentity { unlinker: Arc::clone(&federation.unlinker) },
            delete_me: DeleteMe { delete: Arc::clone(delete_user) },
        }
    }

    pub(super) fn user_sessions(&self, parts: &Parts, stores: &Stores) -> UserSessionsApi {
        UserSessionsApi {
            list: ListUserSessions {
                users: Arc::clone(&stores.database) as _,
                sessions: Arc::clone(&stores.database) as _,
                clock: Arc::clone(&parts.clock),
            },
            revoke: RevokeUserSessions { users: Arc::clone(&stores.database) as _, ender: Arc::clone(&self.ender) },
        }
    }
}
