//! GitHub, which speaks OAuth 2.0 alone: who somebody is, its API says.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::client::{Call, CallFault, Caller};
use super::id_token::Person;
use super::person::external;
use super::query;
use super::settings::{GITHUB, ProviderSettings};
use crate::domain::identity::ExternalIdentity;
use crate::domain::ports::identity_providers::{AuthorizationGrant, AuthorizationRequest, ProviderError};

const API: &str = "https://api.github.com";

/// A refused code is answered with 200 and an error instead of a token.
#[derive(Deserialize)]
struct Tokens {
    access_token: Option<String>,
}

/// The id stays with an account for ever; its login name does not, and may become somebody else's.
#[derive(Deserialize)]
struct User {
    id: u64,
    name: Option<Value>,
}

#[derive(Deserialize)]
struct Address {
    email: Value,
    primary: bool,
    verified: Value,
}

/// GitHub, or one of an organization's own.
pub struct GitHubProvider {
    settings: ProviderSettings,
    caller: Arc<Caller>,
    api: String,
}

impl GitHubProvider {
    pub fn new(settings: ProviderSettings, caller: Arc<Caller>) -> Self {
        let base = settings.issuer.as_str();
        // GitHub Enterprise Server documentation, "REST API endpoints".
        let api = if base == GITHUB { API.to_owned() } else { format!("{base}/api/v3") };
        Self { settings, caller, api }
    }

    pub fn authorization_url(&self, request: &AuthorizationRequest) -> String {
        let parameters = [
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.settings.callback),
            ("scope", &self.settings.scopes.join(" ")),
            ("state", &request.state),
            ("code_challenge", request.challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        query::with_query(&self.endpoint("authorize"), &parameters)
    }

    pub async fn identify(&self, grant: &AuthorizationGrant) -> Result<ExternalIdentity, ProviderError> {
        if grant.issuer.as_ref().is_some_and(|issuer| *issuer != self.issuer()) {
            return Err(self.refuse("an answer of another issuer"));
        }
        let token = self.exchange(grant).await?;
        let user: User = self.ask("/user", &token).await?;
        let addresses: Vec<Address> = self.ask("/user/emails", &token).await?;
        let primary = addresses.into_iter().find(|address| address.primary);
        let (email, email_verified) = primary.map(|address| (address.email, address.verified)).unzip();
        let person = Person { email, email_verified, name: user.name, hd: None };
        external(&self.settings, &user.id.to_string(), &person).ok_or_else(|| self.refuse("a subject that is none"))
    }

    async fn exchange(&self, grant: &AuthorizationGrant) -> Result<String, ProviderError> {
        let form = query::form(&[
            ("client_id", &self.settings.client_id),
            ("client_secret", &self.settings.client_secret),
            ("code", &grant.code),
            ("redirect_uri", &self.settings.callback),
            ("code_verifier", &grant.verifier),
        ]);
        let call = Call { url: &self.endpoint("access_token"), authorization: None, form: Some(form) };
        let tokens: Tokens = self.caller.json(call).await.map_err(|fault| self.judge(fault))?;
        tokens.access_token.ok_or_else(|| self.refuse("no token for the code"))
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, ProviderError> {
        let url = format!("{}{path}", self.api);
        let call = Call { url: &url, authorization: query::bearer(token), form: None };
        self.caller.json(call).await.map_err(|fault| self.judge(fault))
    }

    fn endpoint(&self, name: &str) -> String {
        format!("{}/{name}", self.issuer())
    }

    /// What GitHub calls itself in an answer, if it does (RFC 9207).
    fn issuer(&self) -> String {
        format!("{}/login/oauth", self.settings.issuer.as_str())
    }

    fn judge(&self, fault: CallFault) -> ProviderError {
        let error = if fault == CallFault::Status(400) { ProviderError::Refused } else { ProviderError::Unavailable };
        self.warn(fault);
        error
    }

    fn refuse(&self, problem: impl std::fmt::Display) -> ProviderError {
        self.warn(problem);
        ProviderError::Refused
    }

    fn warn(&self, problem: impl std::fmt::Display) {
        super::warn(&self.settings.name, problem);
    }
}
