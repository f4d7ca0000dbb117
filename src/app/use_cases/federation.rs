//! The use cases of signing in through others.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::app::start_error::StartError;
use crate::app::stores::Stores;
use crate::config::Settings;
use crate::domain::ports::identity_providers::IdentityProviders;
use crate::grpc::admin::user_identities::UserIdentitiesApi;
use crate::outbound::oidc::Providers;
use crate::service::admin::user_identities::list::ListUserIdentities;
use crate::service::admin::user_identities::unlink::UnlinkUserIdentity;
use crate::service::federation::arrivals::Arrivals;
use crate::service::federation::come_back::ComeBack;
use crate::service::federation::complete::CompleteOAuth;
use crate::service::federation::redeemer::Redeemer;
use crate::service::federation::start::StartOAuth;
use crate::service::federation::unlinker::Unlinker;

/// What the edges, and several use cases, share.
pub struct Federation {
    pub start: Arc<StartOAuth>,
    pub come_back: Arc<ComeBack>,
    pub redeemer: Arc<Redeemer>,
    pub unlinker: Arc<Unlinker>,
}

impl Federation {
    pub(super) fn user_identities(&self, stores: &Stores) -> UserIdentitiesApi {
        UserIdentitiesApi {
            list: ListUserIdentities {
                users: Arc::clone(&stores.database) as _,
                identities: Arc::clone(&stores.database) as _,
            },
            unlink: UnlinkUserIdentity { unlinker: Arc::clone(&self.unlinker) },
        }
    }
}

impl Shared {
    pub(super) fn federation(
        &self,
        settings: &Settings,
        parts: &Parts,
        stores: &Stores,
    ) -> Result<Federation, StartError> {
        let providers = Providers::new(&settings.oidc, &parts.clock)
            .map_err(|error| StartError::Failed(format!("TLS towards providers cannot be set up: {error}")))?;
        let providers: Arc<dyn IdentityProviders> = Arc::new(providers);
        let start = StartOAuth {
            providers: Arc::clone(&providers),
            flows: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            keys: Arc::clone(&self.keys),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            settings: settings.service.federation.clone(),
        };
        let come_back = ComeBack {
            flows: Arc::clone(&stores.database) as _,
            audit: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            keys: Arc::clone(&self.keys),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
        };
        let redeemer = Redeemer {
            providers,
            flows: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            keys: Arc::clone(&self.keys),
            clock: Arc::clone(&parts.clock),
        };
        let unlinker = Unlinker {
            identities: Arc::clone(&stores.database) as _,
            issuer: Arc::clone(&self.issuer),
            revoker: Arc::clone(&self.revoker),
            clock: Arc::clone(&parts.clock),
        };
        Ok(Federation {
            start: Arc::new(start),
            come_back: Arc::new(come_back),
            redeemer: Arc::new(redeemer),
            unlinker: Arc::new(unlinker),
        })
    }

    pub(super) fn complete_oauth(
        &self,
        settings: &Settings,
        parts: &Parts,
        stores: &Stores,
        federation: &Federation,
    ) -> CompleteOAuth {
        let registration = settings.service.registration;
        let arrivals = Arrivals {
            identities: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            issuer: Arc::clone(&self.issuer),
            revoker: Arc::clone(&self.revoker),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            may_register: registration.open,
            hides_accounts: registration.verify_email,
        };
        CompleteOAuth {
            redeemer: Arc::clone(&federation.redeemer),
            arrivals,
            sign_in: Arc::clone(&self.factors.sign_in),
            audit: Arc::clone(&stores.database) as _,
            clock: Arc::clone(&parts.clock),
            verified_only: registration.verify_email,
        }
    }
}
