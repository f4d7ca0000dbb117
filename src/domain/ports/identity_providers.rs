//! The providers that people sign in at.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::domain::identity::{ExternalIdentity, ProviderName};
use crate::domain::oauth_flow::PkceChallenge;

/// Why a provider did not do what it was asked. What exactly happened is in the log, in words of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer in time, or not as its protocol has it: another try may do.
    #[error("the provider does not answer")]
    Unavailable,
    /// It does not vouch for whoever came, or what it says does not hold.
    #[error("the provider vouches for nobody")]
    Refused,
}

/// What a browser is sent to a provider with.
pub struct AuthorizationRequest {
    pub state: Zeroizing<String>,
    pub nonce: Zeroizing<String>,
    /// Ours, towards the provider.
    pub challenge: PkceChallenge,
}

/// What a browser has brought back from a provider, and what it was sent there with.
pub struct AuthorizationGrant {
    pub code: Zeroizing<String>,
    /// The `iss` that came with it, if any (RFC 9207).
    pub issuer: Option<String>,
    pub verifier: Zeroizing<String>,
    pub nonce: Zeroizing<String>,
}

impl fmt::Debug for AuthorizationGrant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// The configured providers. One that is not among them refuses.
#[async_trait]
pub trait IdentityProviders: Send + Sync {
    /// The URL that a browser is sent to.
    async fn authorization_url(
        &self,
        provider: &ProviderName,
        request: &AuthorizationRequest,
    ) -> Result<String, ProviderError>;

    /// Exchanges the code for who has signed in; every claim of theirs has been checked.
    async fn identify(
        &self,
        provider: &ProviderName,
        grant: &AuthorizationGrant,
    ) -> Result<ExternalIdentity, ProviderError>;
}
