//! The service's public keys, kept up to date.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use keystead_verifier::KeySet;
use serde_json::json;
use tokio::sync::{Notify, watch};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::clock::Clock;
use crate::pb::token_service_client::TokenServiceClient;
use crate::pb::{GetJwksRequest, GetJwksResponse};
use crate::retry::Backoff;

/// How often tokens of unknown keys may make the client ask, whatever tokens come.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(30);
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The same, with the time that it may take to connect.
const PATIENCE: Duration = Duration::from_secs(4);
const SHORTEST_AGE: Duration = Duration::from_secs(1);
const LONGEST_AGE: Duration = Duration::from_hours(1);
/// After the revocation of a key its successor appears within moments on every replica: when to look, each after the
/// other.
const AFTER_REVOCATION: [Duration; 5] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// The service's public keys; one task fetches them.
pub(crate) struct Keys {
    clock: Arc<dyn Clock>,
    /// `None` until they have been fetched once.
    published: RwLock<Option<Published>>,
    /// When a token of an unknown key last made the client ask, by the monotonic clock.
    asked_for_unknown: Mutex<Option<Duration>>,
    unknown: Notify,
    revoked: Notify,
    /// How many fetches have begun and ended, well or not.
    fetches: watch::Sender<Fetches>,
}

struct Published {
    set: Arc<KeySet>,
    /// By the monotonic clock.
    as_of: Duration,
}

#[derive(Clone, Copy, Debug, Default)]
struct Fetches {
    begun: u64,
    ended: u64,
}

impl Keys {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            published: RwLock::default(),
            asked_for_unknown: Mutex::default(),
            unknown: Notify::new(),
            revoked: Notify::new(),
            fetches: watch::Sender::default(),
        }
    }

    pub(crate) fn current(&self) -> Option<Arc<KeySet>> {
        let published = self.published.read().unwrap_or_else(PoisonError::into_inner);
        published.as_ref().map(|published| Arc::clone(&published.set))
    }

    /// Whether the keys were fetched so lately that a token of an unknown key would not make the client ask again: a key
    /// that is unknown then is none of the service's.
    pub(crate) fn are_recent(&self) -> bool {
        let now = self.clock.monotonic();
        let published = self.published.read().unwrap_or_else(PoisonError::into_inner);
        published.as_ref().is_some_and(|published| now.saturating_sub(published.as_of) < UNKNOWN_KEY_PAUSE)
    }

    /// A key has been revoked: another one takes its place soon.
    pub(crate) fn key_revoked(&self) {
        self.revoked.notify_one();
    }

    /// Asks for the keys on behalf of a token whose key is unknown, unless that has been done lately, without waiting.
    pub(crate) fn ask_for_unknown(&self) {
        let mut asked = self.asked_for_unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        if asked.is_none_or(|asked| now.saturating_sub(asked) >= UNKNOWN_KEY_PAUSE) {
            *asked = Some(now);
            // Counted here, so that whoever comes next waits for this fetch instead of giving up.
            self.fetches.send_modify(|fetches| fetches.begun += 1);
            self.unknown.notify_one();
        }
    }

    /// The same, and waits for the fetch that is on its way, if any: everybody waits for the same one.
    pub(crate) async fn look_for_unknown(&self) {
        self.ask_for_unknown();
        let mut fetches = self.fetches.subscribe();
        let awaited = fetches.borrow().begun;
        // Neither the sender's end nor a service that does not answer makes a token good or bad.
        drop(tokio::time::timeout(TIMEOUT, fetches.wait_for(|fetches| fetches.ended >= awaited)).await);
    }

    /// Waits for the first set.
    pub(crate) async fn ready(&self) {
        let mut fetches = self.fetches.subscribe();
        while self.current().is_none() && fetches.changed().await.is_ok() {}
    }

    /// Keeps the keys up to date, for ever.
    pub(crate) async fn follow(&self, channel: Channel) {
        let mut client = TokenServiceClient::new(channel);
        let mut backoff = Backoff::default();
        let mut looks: &[Duration] = &[];
        loop {
            let pause = match self.fetch(&mut client).await {
                Ok(max_age) => {
                    backoff.succeeded();
                    max_age
                }
                Err(status) => backoff.pause(&status),
            };
            let pause = looks.first().map_or(pause, |look| pause.min(*look));
            looks = looks.get(1..).unwrap_or_default();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.unknown.notified() => {}
                () = self.revoked.notified() => looks = &AFTER_REVOCATION,
            }
        }
    }

    /// A fetch that fails leaves the keys as they are.
    async fn fetch(&self, client: &mut TokenServiceClient<Channel>) -> Result<Duration, Status> {
        let begun = self.fetches.borrow().begun;
        let mut request = Request::new(GetJwksRequest {});
        request.set_timeout(TIMEOUT);
        let as_of = self.clock.monotonic();
        let answer = tokio::time::timeout(PATIENCE, client.get_jwks(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no keys came in time")));
        let fetched = answer.and_then(|answer| {
            let answer = answer.into_inner();
            let set = Arc::new(key_set(&answer)?);
            *self.published.write().unwrap_or_else(PoisonError::into_inner) = Some(Published { set, as_of });
            Ok(max_age(&answer))
        });
        self.fetches.send_modify(|fetches| fetches.ended = begun);
        fetched
    }
}

/// An empty set is a service at fault, not one without keys: it is as good as no answer.
pub(crate) fn key_set(answer: &GetJwksResponse) -> Result<KeySet, Status> {
    let member = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let keys: Vec<_> = answer
        .keys
        .iter()
        .map(|key| {
            json!({
                "kid": member(&key.kid), "kty": key.kty, "use": member(&key.r#use), "alg": member(&key.alg),
                "crv": member(&key.crv), "x": member(&key.x), "y": member(&key.y), "n": member(&key.n),
                "e": member(&key.e),
            })
        })
        .collect();
    let set = KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes());
    let set = set.map_err(|_| Status::data_loss("two keys have one id"))?;
    if set.is_empty() { Err(Status::data_loss("no key is usable")) } else { Ok(set) }
}

fn max_age(answer: &GetJwksResponse) -> Duration {
    let told = answer.max_age.and_then(|age| Duration::try_from(age).ok());
    told.unwrap_or(SHORTEST_AGE).clamp(SHORTEST_AGE, LONGEST_AGE)
}
