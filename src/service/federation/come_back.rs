//! Takes a browser that a provider has sent back on to where it was begun, with a one-time code.
//!
//! Nothing is asked of the provider here: a stranger's request causes no traffic, and the code of the provider is of use
//! to nobody before the verifier of whoever began has come.

use std::sync::Arc;

use form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::sealed::Answer;
use super::settings::CODE_LIFETIME;
use crate::crypto::oauth_token::{self, OAuthToken};
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::{Clock, Entropy};
use crate::domain::identity::ProviderName;
use crate::domain::oauth_flow::{FlowAnswer, FlowReturn};
use crate::domain::origin::Origin;
use crate::domain::ports::oauth_flows::OAuthFlows;
use crate::domain::ports::{AuditContext, AuditLog};
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;

/// The longest code of a provider.
const MAX_CODE_BYTES: usize = 4_096;
const MAX_ISSUER_BYTES: usize = 512;

/// Takes a browser on that a provider has sent back.
pub struct ComeBack {
    pub flows: Arc<dyn OAuthFlows>,
    pub audit: Arc<dyn AuditLog>,
    pub guard: Arc<SecretGuard>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// What a browser has brought.
pub struct ComeBackRequest {
    /// By whose path it has come.
    pub provider: String,
    pub state: String,
    /// `None` where the provider tells of an error: which one does not matter.
    pub code: Option<Zeroizing<String>>,
    /// RFC 9207.
    pub issuer: Option<String>,
    /// What the browser was given to keep, if it shows it.
    pub browser: Option<String>,
}

impl ComeBack {
    /// Where the browser goes on to. Our own words alone stand there: a one-time code, or that access was denied.
    pub async fn run(&self, request: ComeBackRequest, origin: &Origin) -> ServiceResult<String> {
        self.guard.admit_source(origin).await?;
        let provider = ProviderName::parse(&request.provider).map_err(|_| ServiceError::ProviderUnknown)?;
        let Some(state) = oauth_token::parse(OAuthToken::State, &request.state) else {
            return self.refuse(origin).await;
        };
        let browser = request.browser.as_deref().and_then(|text| oauth_token::parse(OAuthToken::Browser, text));
        let (back, now) = (FlowReturn { state, provider, browser }, self.clock.now());
        let Some(code) = request.code.filter(|code| !code.is_empty() && code.len() <= MAX_CODE_BYTES) else {
            let gone = self.flows.give_up(&back, now).await?;
            let Some(redirect) = gone else { return self.refuse(origin).await };
            return Ok(with(&redirect, &[("error", "access_denied"), ("state", &request.state)]));
        };
        let issuer = request.issuer.map(|issuer| issuer.chars().take(MAX_ISSUER_BYTES).collect());
        let answer = Answer { code: code.to_string(), issuer };
        let sealed = answer.seal(state, self.keys.ring().mail(), self.entropy.as_ref());
        let one_time = oauth_token::mint(OAuthToken::Code, self.entropy.as_ref());
        let answer = FlowAnswer {
            code: one_time.hash,
            code_expires_at: now.after(CODE_LIFETIME),
            sealed_answer: sealed.map_err(|_| ServiceError::Internal)?,
        };
        let Some(redirect) = self.flows.come_back(&back, &answer, now).await? else {
            return self.refuse(origin).await;
        };
        Ok(with(&redirect, &[("code", &one_time.text), ("state", &request.state)]))
    }

    async fn refuse(&self, origin: &Origin) -> ServiceResult<String> {
        let event = security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure);
        let event = AuditEvent { detail: Some("OAuthCallback".to_owned()), ..event };
        security_event::log(&event, origin);
        self.audit.record(event, &AuditContext { at: self.clock.now(), origin: *origin, actor: None }).await?;
        Err(ServiceError::OAuthStateInvalid)
    }
}

/// The redirect with the parameters after those that it has.
fn with(redirect: &str, parameters: &[(&str, &str)]) -> String {
    let separator = if redirect.contains('?') { '&' } else { '?' };
    format!("{redirect}{separator}{}", Serializer::new(String::new()).extend_pairs(parameters).finish())
}
