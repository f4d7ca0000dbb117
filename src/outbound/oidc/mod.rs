//! Providers that people sign in at: OpenID Connect by discovery, and GitHub.
//!
//! Owns the settings, the calls, and every check of what comes back. May import `domain`, and of the verifier crate its
//! keys. Must not know whose account an identity opens. Neither tokens nor words of a provider leave this folder.

mod cached;
mod client;
mod github;
pub mod id_token;
mod openid;
mod person;
mod published;
mod query;
pub mod settings;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::clock::Clock;
use crate::domain::identity::{ExternalIdentity, ProviderName};
use crate::domain::ports::identity_providers::{
    AuthorizationGrant, AuthorizationRequest, IdentityProviders, ProviderError,
};

use client::Caller;
use github::GitHubProvider;
use openid::OpenIdProvider;
pub use settings::{ProviderKind, ProviderSettings, Settings};

/// The configured providers. Nothing is asked of them before somebody wants to sign in.
pub struct Providers(HashMap<ProviderName, Provider>);

enum Provider {
    OpenId(OpenIdProvider),
    GitHub(GitHubProvider),
}

impl Providers {
    pub fn new(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Self, rustls::Error> {
        let loopback_http = settings.allow_loopback_http;
        let caller = Arc::new(Caller::new(settings.authorities.as_deref(), loopback_http)?);
        let provider = |settings: &ProviderSettings| {
            let (own, caller) = (settings.clone(), Arc::clone(&caller));
            match settings.kind {
                ProviderKind::GitHub => Provider::GitHub(GitHubProvider::new(own, caller)),
                ProviderKind::Google | ProviderKind::Oidc => {
                    Provider::OpenId(OpenIdProvider::new(own, caller, Arc::clone(clock), loopback_http))
                }
            }
        };
        Ok(Self(settings.providers.iter().map(|settings| (settings.name.clone(), provider(settings))).collect()))
    }

    fn find(&self, name: &ProviderName) -> Result<&Provider, ProviderError> {
        self.0.get(name).ok_or(ProviderError::Refused)
    }
}

#[async_trait]
impl IdentityProviders for Providers {
    async fn authorization_url(
        &self,
        provider: &ProviderName,
        request: &AuthorizationRequest,
    ) -> Result<String, ProviderError> {
        match self.find(provider)? {
            Provider::OpenId(provider) => provider.authorization_url(request).await,
            Provider::GitHub(provider) => Ok(provider.authorization_url(request)),
        }
    }

    async fn identify(
        &self,
        provider: &ProviderName,
        grant: &AuthorizationGrant,
    ) -> Result<ExternalIdentity, ProviderError> {
        match self.find(provider)? {
            Provider::OpenId(provider) => provider.identify(grant).await,
            Provider::GitHub(provider) => provider.identify(grant).await,
        }
    }
}

/// In words of our own: what a provider says may hold anything (promise O8).
fn warn(provider: &ProviderName, problem: impl std::fmt::Display) {
    tracing::warn!(%provider, %problem, "a sign-in at a provider fails");
}
