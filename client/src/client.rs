//! The client: verifies tokens by what its background tasks keep up to date.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::{Expectations, KeySet, Refusal, Verdict, Verifier};
use tokio::task::AbortHandle;
use tonic::transport::{Channel, Endpoint};

use crate::builder::{Builder, StalePolicy};
use crate::connect::connected_lazily;
use crate::credentials::Credentials;
use crate::fallback::{Fallback, NamedKey};
use crate::feed::Feed;
use crate::guard::Guard;
use crate::interceptor::VerifyInterceptor;
use crate::keys::Keys;
use crate::layer::VerifyLayer;
use crate::outcome::{Ignorance, Outcome};

/// Verifies access tokens in this process. Clones share everything; the background tasks end with the last of them.
#[derive(Clone)]
pub struct KeysteadClient(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) verifier: Verifier,
    pub(crate) audience: String,
    pub(crate) policy: StalePolicy,
    pub(crate) staleness_limit: Duration,
    pub(crate) fallback: Fallback,
    pub(crate) feed: Arc<Feed>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) _tasks: Tasks,
}

/// The background tasks; dropping this ends them.
pub(crate) struct Tasks(pub(crate) [AbortHandle; 2]);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Whether the client may judge by what it knows.
enum Standing {
    Fresh,
    Stale,
}

impl KeysteadClient {
    /// A client of the service at this endpoint, whose tokens name this issuer (`tokens.issuer` of its settings, byte
    /// for byte). `audience` is your service's own name: tokens for others are refused.
    ///
    /// Connects when it is first needed, within 2 seconds, and notices a silent link within 2.5. TLS is the endpoint's; a
    /// local address that is set there counts only without TLS: with both, use [`Self::over`].
    pub fn builder(
        endpoint: Endpoint,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        credentials: Credentials,
    ) -> Builder {
        Builder::new(connected_lazily(endpoint), issuer.into(), audience.into(), credentials)
    }

    /// The same over a channel of your own. Give it HTTP/2 keepalive: without it a silent link stays until the kernel
    /// gives it up, and the feed is stale for so long. For TLS, give `ClientTlsConfig` a time-out: a handshake without an
    /// answer lasts for ever else, and nothing recovers from it.
    pub fn over(
        channel: Channel,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        credentials: Credentials,
    ) -> Builder {
        Builder::new(channel, issuer.into(), audience.into(), credentials)
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Waits until the keys and the first snapshot of the feed are there; for ever, if the service does not answer.
    pub async fn ready(&self) {
        self.0.keys.ready().await;
        self.0.feed.ready().await;
    }

    /// Waits until so many revocations of the issuer for tests have been heard of.
    #[cfg(feature = "testing")]
    pub(crate) async fn reached(&self, count: usize) {
        self.0.feed.reached(|told| told.cursor.parse().is_ok_and(|told: usize| told >= count)).await;
    }

    /// How long ago nothing was missing from what this client knows to be revoked; `None` before the first snapshot.
    pub fn staleness(&self) -> Option<Duration> {
        self.0.feed.staleness()
    }

    /// The audience that tokens have to name.
    pub fn audience(&self) -> &str {
        &self.0.audience
    }

    /// Expects this client's own audience.
    pub fn expectations(&self) -> Expectations {
        Expectations { audience: Some(self.0.audience.clone()), roles: Vec::new() }
    }

    /// Judges a token. Nothing is sent, but for a key that is not known (at most one fetch of the keys in 30 seconds,
    /// whatever comes), and for [`StalePolicy::FallBackToVerifyToken`].
    pub async fn verify(&self, token: &str, expectations: &Expectations) -> Outcome {
        let known = self.judge(token, expectations);
        let known = if known == Outcome::Refused(Refusal::UnknownKey) {
            self.0.keys.look_for_unknown().await;
            self.judge(token, expectations)
        } else {
            known
        };
        let standing = self.standing();
        match (self.worth_asking(&known), &standing, self.0.policy) {
            (Some(key), Standing::Stale, StalePolicy::FallBackToVerifyToken) => {
                self.0.fallback.ask(token, expectations, key).await
            }
            _ => self.settle(known, &standing),
        }
    }

    /// Judges a token by what is known now, for callers that cannot wait. A key that is not known is fetched for the
    /// next time, and [`StalePolicy::FallBackToVerifyToken`] is as [`StalePolicy::Refuse`].
    pub fn verify_now(&self, token: &str, expectations: &Expectations) -> Outcome {
        let known = self.judge(token, expectations);
        if known == Outcome::Refused(Refusal::UnknownKey) {
            self.0.keys.ask_for_unknown();
        }
        self.settle(known, &self.standing())
    }

    /// A tower layer that lets verified requests pass.
    pub fn layer(&self) -> VerifyLayer {
        VerifyLayer::new(self.clone(), Guard::new(self.expectations()))
    }

    /// A tonic interceptor that lets verified requests pass, by [`Self::verify_now`].
    pub fn interceptor(&self) -> VerifyInterceptor {
        VerifyInterceptor::new(self.clone(), Guard::new(self.expectations()))
    }

    fn judge(&self, token: &str, expectations: &Expectations) -> Outcome {
        let Some(keys) = self.0.keys.current() else { return self.judge_form(token) };
        let Inner { verifier, feed, .. } = &*self.0;
        verifier.verify(token, &keys, &feed.index, expectations, feed.judged_at()).into()
    }

    /// What can be said without the keys: what is no token at all is bad, whatever they are.
    fn judge_form(&self, token: &str) -> Outcome {
        match self.0.verifier.authenticate(token, &KeySet::default()) {
            Ok(_) | Err(Verdict::UnknownKey) => Outcome::Unknown(Ignorance::NoKeys),
            Err(verdict) => verdict.into(),
        }
    }

    /// Known to be bad is bad, however old the knowledge; what only a newer key set can tell is asked.
    fn worth_asking(&self, known: &Outcome) -> Option<NamedKey> {
        match known {
            Outcome::Active(_) | Outcome::Unknown(_) => Some(NamedKey::Known),
            Outcome::Refused(Refusal::UnknownKey) if !self.0.keys.are_recent() => Some(NamedKey::Unknown),
            Outcome::Refused(_) => None,
        }
    }

    fn standing(&self) -> Standing {
        match self.staleness() {
            Some(staleness) if staleness <= self.0.staleness_limit => Standing::Fresh,
            _ => Standing::Stale,
        }
    }

    fn settle(&self, known: Outcome, standing: &Standing) -> Outcome {
        match (known, standing, self.0.policy) {
            (Outcome::Active(_), Standing::Stale, StalePolicy::Refuse | StalePolicy::FallBackToVerifyToken) => {
                Outcome::Unknown(Ignorance::StaleFeed)
            }
            (known, _, _) => known,
        }
    }
}

impl fmt::Debug for KeysteadClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeysteadClient").field("audience", &self.0.audience).finish_non_exhaustive()
    }
}
