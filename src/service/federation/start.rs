//! Begins a sign-in at a provider: says where the browser has to go.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::sealed::Secrets;
use super::settings::{FLOW_LIFETIME, FederationSettings};
use crate::crypto::oauth_token::{self, OAuthToken};
use crate::crypto::pkce;
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::identity::ProviderName;
use crate::domain::oauth_flow::{LinkingSession, NewFlow, PkceChallenge};
use crate::domain::origin::Origin;
use crate::domain::ports::identity_providers::{AuthorizationRequest, IdentityProviders};
use crate::domain::ports::oauth_flows::OAuthFlows;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// Begins a sign-in at a provider.
pub struct StartOAuth {
    pub providers: Arc<dyn IdentityProviders>,
    pub flows: Arc<dyn OAuthFlows>,
    pub guard: Arc<SecretGuard>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: FederationSettings,
}

/// Where to sign in, and who will end it.
#[derive(Clone, Debug)]
pub struct StartOAuthRequest {
    /// As the caller wrote it.
    pub provider: String,
    pub redirect_uri: String,
    pub challenge: PkceChallenge,
}

/// Who begins: besides their challenge, what the flow is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginner {
    /// A program that keeps its verifier.
    Caller,
    /// A browser, which is given something to keep.
    Browser,
    /// A user who is signed in, and adds an identity to their account.
    Owner(LinkingSession),
}

/// Where the browser has to go, and what to know it by when it is back.
pub struct Started {
    pub authorization_url: String,
    pub state: Zeroizing<String>,
    /// What the browser that began has to keep.
    pub browser: Option<Zeroizing<String>>,
    pub expires_at: Timestamp,
}

impl fmt::Debug for Started {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Started").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl StartOAuth {
    pub async fn run(&self, request: StartOAuthRequest, begun: Beginner, origin: &Origin) -> ServiceResult<Started> {
        self.guard.admit_source(origin).await?;
        let provider = self.checked(&request)?;
        let entropy = self.entropy.as_ref();
        let state = oauth_token::mint(OAuthToken::State, entropy);
        let browser = (begun == Beginner::Browser).then(|| oauth_token::mint(OAuthToken::Browser, entropy));
        let (verifier, nonce) = (pkce::mint_verifier(entropy), pkce::mint_verifier(entropy));
        let challenge = pkce::challenge_of(&verifier).ok_or(ServiceError::Internal)?;
        let authorization = AuthorizationRequest { state: state.text.clone(), nonce: nonce.clone(), challenge };
        let authorization_url = self.providers.authorization_url(&provider, &authorization).await?;
        let secrets = Secrets { verifier: verifier.to_string(), nonce: nonce.to_string() };
        let sealed = secrets.seal(state.hash, self.keys.ring().mail(), entropy).map_err(|_| ServiceError::Internal)?;
        let expires_at = self.clock.now().after(FLOW_LIFETIME);
        let flow = NewFlow {
            state: state.hash,
            provider,
            redirect_uri: request.redirect_uri,
            challenge: request.challenge,
            browser: browser.as_ref().map(|browser| browser.hash),
            linking: match begun {
                Beginner::Owner(session) => Some(session),
                Beginner::Caller | Beginner::Browser => None,
            },
            sealed_secrets: sealed,
            expires_at,
        };
        self.flows.begin(&flow).await?;
        let browser = browser.map(|browser| browser.text);
        Ok(Started { authorization_url, state: state.text, browser, expires_at })
    }

    /// A provider that there is, and a redirect that it has byte for byte (promise O5).
    fn checked(&self, request: &StartOAuthRequest) -> ServiceResult<ProviderName> {
        let provider = ProviderName::parse(&request.provider).map_err(|_| ServiceError::ProviderUnknown)?;
        let redirects = self.settings.redirects.get(&provider).ok_or(ServiceError::ProviderUnknown)?;
        if !redirects.contains(&request.redirect_uri) {
            let problem = "must be one of the provider's configured redirects, byte for byte";
            return Err(ServiceError::invalid_field("redirect_uri", problem));
        }
        Ok(provider)
    }
}
