//! The use cases of this folder on a world in RAM, with a provider that says what a test wants.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::arrivals::Arrivals;
use super::come_back::ComeBack;
use super::complete::CompleteOAuth;
use super::redeemer::Redeemer;
use super::settings::FederationSettings;
use super::start::StartOAuth;
use crate::domain::identity::{ExternalIdentity, ProviderName};
use crate::domain::ports::identity_providers::{
    AuthorizationGrant, AuthorizationRequest, IdentityProviders, ProviderError,
};
use crate::service::testing::World;

pub const REDIRECT: &str = "https://app.example.com/signed-in";

/// A provider `idp`, and whom it vouches for.
#[derive(Default)]
pub struct FakeProvider {
    pub vouches_for: Mutex<Option<ExternalIdentity>>,
    /// What it was asked with.
    pub grants: Mutex<Vec<(String, String, String)>>,
}

#[async_trait]
impl IdentityProviders for FakeProvider {
    async fn authorization_url(
        &self,
        _provider: &ProviderName,
        request: &AuthorizationRequest,
    ) -> Result<String, ProviderError> {
        let (challenge, nonce) = (request.challenge.as_str(), &*request.nonce);
        Ok(format!("https://idp.example/authorize?state={}&challenge={challenge}&nonce={nonce}", *request.state))
    }

    async fn identify(&self, _: &ProviderName, grant: &AuthorizationGrant) -> Result<ExternalIdentity, ProviderError> {
        let seen = (grant.code.to_string(), grant.verifier.to_string(), grant.nonce.to_string());
        self.grants.lock().unwrap().push(seen);
        self.vouches_for.lock().unwrap().clone().ok_or(ProviderError::Refused)
    }
}

impl World {
    pub fn start_oauth(&self, provider: &Arc<FakeProvider>) -> StartOAuth {
        let name = ProviderName::parse("idp").unwrap();
        StartOAuth {
            providers: provider.clone(),
            flows: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            settings: FederationSettings { redirects: [(name, vec![REDIRECT.to_owned()])].into() },
        }
    }

    pub fn come_back(&self) -> ComeBack {
        ComeBack {
            flows: Arc::new(self.store.clone()),
            audit: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub fn complete_oauth(&self, provider: &Arc<FakeProvider>) -> CompleteOAuth {
        let redeemer = Redeemer {
            providers: provider.clone(),
            flows: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
        };
        let arrivals = Arrivals {
            identities: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            issuer: self.issuer.clone(),
            revoker: self.revoker.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            may_register: self.settings.registration.open,
            hides_accounts: self.settings.registration.verify_email,
        };
        CompleteOAuth {
            redeemer: Arc::new(redeemer),
            arrivals,
            sign_in: self.finisher(),
            audit: Arc::new(self.store.clone()),
            clock: self.clock.clone(),
            verified_only: self.settings.registration.verify_email,
        }
    }
}
