//! Ends a flow: the one exchange that its state, code and verifier are good for, and who the provider says it was.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::sealed::{Answer, Secrets};
use crate::crypto::oauth_token::{self, OAuthToken};
use crate::crypto::pkce;
use crate::domain::clock::Clock;
use crate::domain::identity::ExternalIdentity;
use crate::domain::oauth_flow::{LinkingSession, Redemption};
use crate::domain::one_time_token::TokenHash;
use crate::domain::origin::Origin;
use crate::domain::ports::identity_providers::{AuthorizationGrant, IdentityProviders};
use crate::domain::ports::oauth_flows::OAuthFlows;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// Ends flows.
pub struct Redeemer {
    pub providers: Arc<dyn IdentityProviders>,
    pub flows: Arc<dyn OAuthFlows>,
    pub guard: Arc<SecretGuard>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
}

/// What a flow is ended with.
pub struct RedeemRequest {
    pub state: String,
    pub code: Zeroizing<String>,
    pub verifier: Zeroizing<String>,
}

impl Redeemer {
    /// Who has signed in at the provider. One answer for whatever does not belong together: unknown, used, expired,
    /// somebody else's.
    pub async fn redeem(
        &self,
        request: &RedeemRequest,
        linking: Option<LinkingSession>,
        origin: &Origin,
    ) -> ServiceResult<ExternalIdentity> {
        self.guard.admit_source(origin).await?;
        let redemption = redemption(request, linking).ok_or(ServiceError::OAuthStateInvalid)?;
        let flow = self.flows.redeem(&redemption, self.clock.now()).await?.ok_or(ServiceError::OAuthStateInvalid)?;
        let grant = self.grant(&flow.sealed_secrets, &flow.sealed_answer, redemption.state)?;
        Ok(self.providers.identify(&flow.provider, &grant).await?)
    }

    fn grant(&self, secrets: &[u8], answer: &[u8], state: TokenHash) -> ServiceResult<AuthorizationGrant> {
        let ring = self.keys.ring();
        let opened = Secrets::open(secrets, state, ring.mail()).and_then(|secrets| {
            let Answer { code, issuer } = Answer::open(answer, state, ring.mail())?;
            let (code, verifier, nonce) = (code.into(), secrets.verifier.into(), secrets.nonce.into());
            Ok(AuthorizationGrant { code, issuer, verifier, nonce })
        });
        opened.map_err(|error| {
            tracing::error!(%error, "a flow does not open");
            ServiceError::Internal
        })
    }
}

fn redemption(request: &RedeemRequest, linking: Option<LinkingSession>) -> Option<Redemption> {
    Some(Redemption {
        state: oauth_token::parse(OAuthToken::State, &request.state)?,
        code: oauth_token::parse(OAuthToken::Code, &request.code)?,
        challenge: pkce::challenge_of(&request.verifier)?,
        linking,
    })
}
