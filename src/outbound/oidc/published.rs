//! What an issuer publishes, its metadata and its keys: fetched, checked and kept.

use std::fmt;
use std::sync::Arc;

use keystead_verifier::KeySet;
use serde::Deserialize;

use super::cached::Cached;
use super::client::{Call, Caller};
use super::settings::is_allowed;
use crate::domain::clock::Clock;
use crate::domain::identity::ProviderName;
use crate::domain::ports::identity_providers::ProviderError;

/// What is needed of a provider's metadata (OpenID Connect Discovery 1.0, section 3).
#[derive(Deserialize)]
pub struct Metadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub userinfo_endpoint: Option<String>,
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// RFC 9207, section 3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// Where an issuer publishes.
pub struct Source {
    pub provider: ProviderName,
    pub issuer: String,
    pub caller: Arc<Caller>,
    pub loopback_http: bool,
}

/// What an issuer publishes.
pub struct Published {
    source: Arc<Source>,
    metadata: Cached<Metadata>,
    keys: Cached<KeySet>,
}

impl Published {
    pub fn new(source: Source, clock: &Arc<dyn Clock>) -> Self {
        let (metadata, keys) = (Cached::new(Arc::clone(clock)), Cached::new(Arc::clone(clock)));
        Self { source: Arc::new(source), metadata, keys }
    }

    pub async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        self.metadata.get(|| Arc::clone(&self.source).discover()).await.ok_or(ProviderError::Unavailable)
    }

    pub async fn keys(&self, metadata: &Metadata) -> Result<Arc<KeySet>, ProviderError> {
        self.keys.get(|| self.fetch_keys(metadata)).await.ok_or(ProviderError::Unavailable)
    }

    /// For whoever has found a key missing.
    pub async fn newer_keys(&self, metadata: &Metadata) -> Result<Arc<KeySet>, ProviderError> {
        self.keys.renewed(|| self.fetch_keys(metadata)).await.ok_or(ProviderError::Unavailable)
    }

    fn fetch_keys(&self, metadata: &Metadata) -> impl Future<Output = Option<KeySet>> + Send + 'static {
        Arc::clone(&self.source).fetch_keys(metadata.jwks_uri.clone())
    }
}

impl Source {
    async fn discover(self: Arc<Self>) -> Option<Metadata> {
        let issuer = self.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let metadata: Metadata = self.told(self.caller.json(Call::get(&url)).await)?;
        // Whoever can answer for another issuer could have us take its users for that one's.
        if metadata.issuer != self.issuer {
            self.warn("a discovery document of another issuer");
            return None;
        }
        let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        let are_allowed = endpoints
            .into_iter()
            .chain(&metadata.userinfo_endpoint)
            .all(|endpoint| is_allowed(endpoint, self.loopback_http));
        if !are_allowed {
            self.warn("a discovery document with an endpoint that may not be called");
            return None;
        }
        Some(metadata)
    }

    async fn fetch_keys(self: Arc<Self>, url: String) -> Option<KeySet> {
        let bytes = self.told(self.caller.bytes(Call::get(&url)).await)?;
        self.told(KeySet::from_jwks(&bytes))
    }

    fn told<T, E: fmt::Display>(&self, answer: Result<T, E>) -> Option<T> {
        answer.map_err(|fault| self.warn(fault)).ok()
    }

    fn warn(&self, problem: impl fmt::Display) {
        super::warn(&self.provider, problem);
    }
}
