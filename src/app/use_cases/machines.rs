//! The use cases that speak of service accounts and their tokens.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::grpc::admin::service_accounts::ServiceAccountsApi;
use crate::grpc::token_service::TokenApi;
use crate::service::admin::service_accounts::create::CreateServiceAccount;
use crate::service::admin::service_accounts::delete::DeleteServiceAccount;
use crate::service::admin::service_accounts::list::ListServiceAccounts;
use crate::service::admin::service_accounts::rotate_secret::RotateServiceAccountSecret;
use crate::service::auth::logout::Logout;
use crate::service::token::issue_service_token::IssueServiceToken;
use crate::service::token::jwks::GetJwks;
use crate::service::token::revoke_token::RevokeToken;
use crate::service::token::service_authenticator::ServiceAuthenticator;
use crate::service::token::watch_revocations::WatchRevocations;

impl Shared {
    pub(super) fn service_accounts(&self, settings: &Settings, parts: &Parts, stores: &Stores) -> ServiceAccountsApi {
        ServiceAccountsApi {
            create: CreateServiceAccount {
                accounts: Arc::clone(&stores.database) as _,
                clock: Arc::clone(&parts.clock),
                entropy: Arc::clone(&parts.entropy),
                audiences: settings.service.tokens.audiences.clone(),
            },
            list: ListServiceAccounts {
                accounts: Arc::clone(&stores.database) as _,
                keys: Arc::clone(&self.keys),
                clock: Arc::clone(&parts.clock),
                entropy: Arc::clone(&parts.entropy),
            },
            rotate_secret: RotateServiceAccountSecret {
                accounts: Arc::clone(&stores.database) as _,
                revoker: Arc::clone(&self.revoker),
                clock: Arc::clone(&parts.clock),
                entropy: Arc::clone(&parts.entropy),
                token_reach: settings.service.tokens.reach(),
            },
            delete: DeleteServiceAccount {
                accounts: Arc::clone(&stores.database) as _,
                revoker: Arc::clone(&self.revoker),
                clock: Arc::clone(&parts.clock),
                token_reach: settings.service.tokens.reach(),
            },
        }
    }

    pub(super) fn authenticator(&self, parts: &Parts, stores: &Stores) -> ServiceAuthenticator {
        ServiceAuthenticator {
            accounts: Arc::clone(&stores.database) as _,
            audit: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            clock: Arc::clone(&parts.clock),
        }
    }

    pub(super) fn tokens(
        &self,
        parts: &Parts,
        stores: &Stores,
        authenticator: &Arc<ServiceAuthenticator>,
        get_jwks: &Arc<GetJwks>,
        logout: &Arc<Logout>,
    ) -> TokenApi {
        TokenApi {
            get_jwks: Arc::clone(get_jwks),
            issue_service_token: Arc::new(IssueServiceToken {
                authenticator: Arc::clone(authenticator),
                keys: Arc::clone(&self.keys),
                issuer: Arc::clone(&self.issuer),
            }),
            revoke_token: Arc::new(RevokeToken {
                verify_token: Arc::clone(&self.verify_token),
                logout: Arc::clone(logout),
                ender: Arc::clone(&self.ender),
                accounts: Arc::clone(&stores.database) as _,
                guard: Arc::clone(&self.guard),
                issuer: Arc::clone(&self.issuer),
                revoker: Arc::clone(&self.revoker),
                clock: Arc::clone(&parts.clock),
            }),
            watch_revocations: WatchRevocations {
                table: Arc::clone(&stores.database) as _,
                state: Arc::clone(&self.revoker.state),
                keys: Arc::clone(&self.keys),
                clock: Arc::clone(&parts.clock),
                entropy: Arc::clone(&parts.entropy),
            },
        }
    }
}
