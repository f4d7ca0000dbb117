//! A provider that speaks OpenID Connect: the code flow with PKCE, ID tokens and userinfo.

use std::sync::Arc;

use keystead_verifier::KeySet;
use serde::Deserialize;

use super::client::{Call, CallFault, Caller};
use super::id_token::{self, Claims, Expected, IdTokenFault, Person};
use super::person::external;
use super::published::{Metadata, Published, Source};
use super::query;
use super::settings::ProviderSettings;
use crate::domain::clock::Clock;
use crate::domain::identity::ExternalIdentity;
use crate::domain::ports::identity_providers::{AuthorizationGrant, AuthorizationRequest, ProviderError};

/// What the token endpoint answers.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: String,
}

/// What the userinfo endpoint answers.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    person: Person,
}

/// One issuer.
pub struct OpenIdProvider {
    settings: ProviderSettings,
    caller: Arc<Caller>,
    clock: Arc<dyn Clock>,
    published: Published,
}

impl OpenIdProvider {
    pub fn new(settings: ProviderSettings, caller: Arc<Caller>, clock: Arc<dyn Clock>, loopback_http: bool) -> Self {
        let source = Source {
            provider: settings.name.clone(),
            issuer: settings.issuer.as_str().to_owned(),
            caller: Arc::clone(&caller),
            loopback_http,
        };
        let published = Published::new(source, &clock);
        Self { settings, caller, clock, published }
    }

    pub async fn authorization_url(&self, request: &AuthorizationRequest) -> Result<String, ProviderError> {
        let metadata = self.published.metadata().await?;
        let parameters = [
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.settings.callback),
            ("scope", &self.settings.scopes.join(" ")),
            ("state", &request.state),
            ("nonce", &request.nonce),
            ("code_challenge", request.challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        Ok(query::with_query(&metadata.authorization_endpoint, &parameters))
    }

    pub async fn identify(&self, grant: &AuthorizationGrant) -> Result<ExternalIdentity, ProviderError> {
        let metadata = self.published.metadata().await?;
        self.check_issuer(&metadata, grant)?;
        let tokens = self.exchange(&metadata, grant).await?;
        let claims = self.verify(&metadata, &tokens.id_token, &grant.nonce).await?;
        let person = self.person(&metadata, &claims, &tokens.access_token).await?;
        external(&self.settings, &claims.sub, &person).ok_or_else(|| self.refuse("a subject that is none"))
    }

    /// A code that another provider has sent must not be taken to this one (RFC 9207, section 2.4).
    fn check_issuer(&self, metadata: &Metadata, grant: &AuthorizationGrant) -> Result<(), ProviderError> {
        let is_right = match &grant.issuer {
            Some(issuer) => issuer == self.settings.issuer.as_str(),
            None => !metadata.authorization_response_iss_parameter_supported,
        };
        if is_right { Ok(()) } else { Err(self.refuse("an answer of another issuer")) }
    }

    async fn exchange(&self, metadata: &Metadata, grant: &AuthorizationGrant) -> Result<Tokens, ProviderError> {
        let ProviderSettings { client_id, client_secret, callback, .. } = &self.settings;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", &**grant.code),
            ("redirect_uri", callback),
            ("code_verifier", &**grant.verifier),
        ];
        let supported = &metadata.token_endpoint_auth_methods_supported;
        let has = |method: &str| supported.iter().any(|known| known == method);
        let mut authorization = None;
        // Where nothing is said it is basic (OpenID Connect Discovery 1.0, section 3).
        if has("client_secret_post") && !has("client_secret_basic") {
            parameters.extend([("client_id", client_id.as_str()), ("client_secret", client_secret.as_str())]);
        } else {
            authorization = query::basic(client_id, client_secret);
        }
        let form = Some(query::form(&parameters));
        let call = Call { url: &metadata.token_endpoint, authorization, form };
        self.caller.json(call).await.map_err(|fault| self.judge(fault))
    }

    async fn verify(&self, metadata: &Metadata, token: &str, nonce: &str) -> Result<Claims, ProviderError> {
        let keys = self.published.keys(metadata).await?;
        match self.judged(token, &keys, nonce) {
            Err(IdTokenFault::UnknownKey) => {
                let keys = self.published.newer_keys(metadata).await?;
                self.judged(token, &keys, nonce)
            }
            verdict => verdict,
        }
        .map_err(|fault| self.refuse(fault))
    }

    fn judged(&self, token: &str, keys: &KeySet, nonce: &str) -> Result<Claims, IdTokenFault> {
        let (issuer, client_id, now) = (self.settings.issuer.as_str(), &*self.settings.client_id, self.clock.now());
        id_token::verify(token, keys, &Expected { issuer, client_id, nonce, now })
    }

    /// What the ID token tells of the person; where it tells no address, what the userinfo endpoint does.
    async fn person(&self, metadata: &Metadata, claims: &Claims, access_token: &str) -> Result<Person, ProviderError> {
        let told = claims.person();
        let (None, Some(url)) = (&told.email, &metadata.userinfo_endpoint) else { return Ok(told) };
        let call = Call { url, authorization: query::bearer(access_token), form: None };
        let info: UserInfo = self.caller.json(call).await.map_err(|fault| self.judge(fault))?;
        // OpenID Connect Core 1.0, section 5.3.2: or somebody else's answer could be taken for this person's.
        if info.sub == claims.sub { Ok(info.person) } else { Err(self.refuse("userinfo of somebody else")) }
    }

    /// A code that does not hold is refused with 400 (RFC 6749, section 5.2); anything else is no verdict.
    fn judge(&self, fault: CallFault) -> ProviderError {
        if fault == CallFault::Status(400) {
            return self.refuse(fault);
        }
        self.warn(fault);
        ProviderError::Unavailable
    }

    fn refuse(&self, problem: impl std::fmt::Display) -> ProviderError {
        self.warn(problem);
        ProviderError::Refused
    }

    fn warn(&self, problem: impl std::fmt::Display) {
        super::warn(&self.settings.name, problem);
    }
}
