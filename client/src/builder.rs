//! Puts a client together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::Verifier;
use tonic::transport::Channel;

use crate::client::{Inner, KeysteadClient, Tasks};
use crate::clock::{Clock, SystemClock};
use crate::credentials::{BearerSource, Credentials};
use crate::fallback::Fallback;
use crate::feed::{Feed, Follower};
use crate::keys::Keys;

/// What happens to tokens while the feed of revocations is older than the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StalePolicy {
    /// Nothing is accepted: [`Outcome::Unknown`](crate::Outcome::Unknown). The default.
    #[default]
    Refuse,
    /// The service is asked about each token, by `AuthService.VerifyToken`; its verdict is kept for as long as it
    /// allows, a second at most. Tokens that are known to be bad are refused unasked, and so are those of an unknown key
    /// while the keys are less than 30 seconds old.
    FallBackToVerifyToken,
    /// What is known decides: a token may live until it expires although it has been revoked since.
    AcceptUntilExpiry,
}

/// Puts a client together; see [`KeysteadClient::builder`].
#[must_use]
pub struct Builder {
    channel: Channel,
    issuer: String,
    audience: String,
    credentials: Credentials,
    policy: StalePolicy,
    staleness_limit: Duration,
    max_lifetime: Duration,
    leeway: Duration,
    remembered_bytes: usize,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(channel: Channel, issuer: String, audience: String, credentials: Credentials) -> Self {
        Self {
            channel,
            issuer,
            audience,
            credentials,
            policy: StalePolicy::default(),
            staleness_limit: Duration::from_secs(5),
            max_lifetime: Duration::from_hours(1),
            leeway: Duration::from_secs(5),
            remembered_bytes: 32 << 20,
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// What happens while the feed is older than the limit; [`StalePolicy::Refuse`] if not set.
    pub fn when_stale(self, policy: StalePolicy) -> Self {
        Self { policy, ..self }
    }

    /// How old the feed may be; 5 seconds if not set. It is told of once a second, so that less than two is too little.
    pub fn staleness_limit(self, limit: Duration) -> Self {
        Self { staleness_limit: limit, ..self }
    }

    /// A token that lives longer is refused though signed; an hour if not set, as in the service.
    pub fn max_lifetime(self, max_lifetime: Duration) -> Self {
        Self { max_lifetime, ..self }
    }

    /// How far the clocks may differ; 5 seconds if not set, and at most.
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// How many bytes the tokens may take whose signature need not be checked again; 32 MiB if not set, 0 for none.
    pub fn remembered_bytes(self, bytes: usize) -> Self {
        Self { remembered_bytes: bytes, ..self }
    }

    /// A clock of your own, for tests.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Starts the background tasks, which go on until the last clone of the client is dropped. Until the keys and the
    /// feed are there, nothing is accepted but what the policy allows; [`KeysteadClient::ready`] waits for both.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(self) -> KeysteadClient {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let verifier = Verifier::new(self.issuer, seconds(self.max_lifetime), seconds(self.leeway));
        let feed = Arc::new(Feed::new(Arc::clone(&self.clock)));
        let keys = Arc::new(Keys::new(Arc::clone(&self.clock)));
        let bearer = BearerSource::new(self.credentials, self.channel.clone(), Arc::clone(&self.clock));
        let follower = Follower::new(Arc::clone(&feed), Arc::clone(&keys), bearer, self.channel.clone());
        let kept = Arc::clone(&keys);
        let channel = self.channel.clone();
        let tasks = Tasks([
            tokio::spawn(async move { kept.follow(channel).await }).abort_handle(),
            tokio::spawn(follower.run()).abort_handle(),
        ]);
        KeysteadClient::of(Inner {
            verifier: verifier.remembering(self.remembered_bytes),
            audience: self.audience,
            policy: self.policy,
            staleness_limit: self.staleness_limit,
            fallback: Fallback::new(self.channel, self.clock),
            feed,
            keys,
            _tasks: tasks,
        })
    }
}
