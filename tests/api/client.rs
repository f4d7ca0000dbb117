//! The crate `keystead-client` against the service itself: what is revoked here is refused in another process, and what
//! the client cannot know it does not accept.

mod database_link;
mod greeter;
pub mod python;
mod rust;
mod stalled_handshake;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use keystead::domain::clock::Clock as _;
use keystead::grpc::pb::{
    CreateServiceAccountRequest, LogoutScope, RevokeSigningKeyRequest, RotateSigningKeyRequest, TokenSet, TokenStatus,
    VerifyTokenRequest,
};
use keystead_client::{Builder, Credentials, Ignorance, KeysteadClient, Outcome, StalePolicy};
use tonic::transport::Endpoint;

use crate::harness::token::Jwt;
use crate::harness::{
    Backend, Client, Keystead, Link, PROMISED, Person, Setup, TestClock, eventually, on_each_backend, until,
};
use crate::support::stopwatch::Stopwatch;

/// `tokens.issuer`, where nothing is set.
const ISSUER: &str = "http://localhost:8080";
/// The client's limit of staleness.
const LIMIT: Duration = Duration::from_secs(5);
/// Longer than a key is published before it signs, shorter than a token lives.
const PUBLISHED_BEFORE: Duration = Duration::from_secs(301);

/// An administrator, and the id and the secret of a service account that may follow the feed.
async fn verifier_account(keystead: &Keystead, client: &Client) -> (Client, String, String) {
    let (admin, _) = Person::new("root").register_as_administrator(keystead, client).await;
    let request = CreateServiceAccountRequest {
        display_name: "The shop".to_owned(),
        audiences: vec!["keystead".to_owned()],
        roles: vec!["verifier".to_owned()],
    };
    let created = admin.create_service_account(request).await.expect("a service account");
    (admin, created.service_account.expect("the account").id, created.secret)
}

/// The same, as a client shows it.
async fn prepared(keystead: &Keystead) -> (Client, Credentials) {
    prepared_by(keystead, &keystead.client().await).await
}

async fn prepared_by(keystead: &Keystead, client: &Client) -> (Client, Credentials) {
    let (admin, id, secret) = verifier_account(keystead, client).await;
    (admin, Credentials::service_account(id, secret))
}

fn builder(address: SocketAddr, credentials: &Credentials) -> Builder {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    KeysteadClient::builder(endpoint, ISSUER, "keystead", credentials.clone())
}

/// A client of this replica that knows all there is.
async fn following(address: SocketAddr, credentials: &Credentials) -> KeysteadClient {
    let verifier = builder(address, credentials).start();
    verifier.ready().await;
    verifier
}

async fn outcome(verifier: &KeysteadClient, tokens: &TokenSet) -> Outcome {
    verifier.verify(&tokens.access_token, &verifier.expectations()).await
}

async fn accepts(verifier: &KeysteadClient, tokens: &TokenSet) -> bool {
    matches!(outcome(verifier, tokens).await, Outcome::Active(_))
}

/// Whether the replica calls the token good; not if it says that it cannot know.
async fn is_good_at(replica: &Client, tokens: &TokenSet) -> bool {
    let request = VerifyTokenRequest { access_token: tokens.access_token.clone(), ..Default::default() };
    replica.verify_token(request).await.is_ok_and(|verdict| verdict.status() == TokenStatus::Active)
}

/// Logs out, and fails the test if a client, or VerifyToken of this other replica, accepts the token for longer than is
/// promised.
async fn is_refused_everywhere_in_time(
    client: &Client,
    tokens: &TokenSet,
    verifiers: &[&KeysteadClient],
    replica: &Client,
    promised: Duration,
) {
    assert!(is_good_at(replica, tokens).await);
    let replica = async |ended: Stopwatch| {
        until("the replica to refuse", || async { !is_good_at(replica, tokens).await }).await;
        assert!(ended.waited() <= promised, "refused {:?} after the logout", ended.waited());
    };
    let ended = logged_out(client, tokens).await;
    tokio::join!(are_refused(verifiers, tokens, ended, promised), replica(ended));
}

/// Logs out, and fails the test if a client accepts the token for longer than is promised.
async fn is_refused_in_time(client: &Client, tokens: &TokenSet, verifiers: &[&KeysteadClient], promised: Duration) {
    let ended = logged_out(client, tokens).await;
    are_refused(verifiers, tokens, ended, promised).await;
}

/// Since when the logout is acknowledged.
async fn logged_out(client: &Client, tokens: &TokenSet) -> Stopwatch {
    client.log_out(&tokens.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    Stopwatch::start()
}

async fn are_refused(verifiers: &[&KeysteadClient], tokens: &TokenSet, ended: Stopwatch, promised: Duration) {
    for verifier in verifiers {
        until("the client to refuse", || async { !accepts(verifier, tokens).await }).await;
        let late = ended.waited();
        assert!(late <= promised, "refused {late:?} after the logout");
    }
}

// promise T8
async fn what_is_revoked_on_one_replica_is_refused_by_the_clients_of_each(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let (_, credentials) = prepared(&keystead).await;
    let [here, there] = keystead.pair().await;
    let ada = Person::new("ada");
    let (first, second) = (ada.register(&here).await.set, ada.log_in(&here).await.expect("tokens"));
    let last = backend.replicas() - 1;
    let near = following(keystead.replica(0).grpc, &credentials).await;
    let far = following(keystead.replica(last).grpc, &credentials).await;
    for verifier in [&near, &far] {
        assert!(accepts(verifier, &first).await && accepts(verifier, &second).await);
    }
    is_refused_everywhere_in_time(&here, &first, &[&near, &far], &there, PROMISED).await;
    assert!(accepts(&far, &second).await, "the other session goes on");
}

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_revocations_arrive_as_promised_all_the_same() {
    let mut keystead = Setup::on(Backend::PostgresRedis).replicas(2).start().await;
    let (_, credentials) = prepared(&keystead).await;
    let [here, there] = keystead.pair().await;
    let far = following(keystead.replica(1).grpc, &credentials).await;
    let ada = Person::new("ada");
    let tokens = [ada.register(&here).await.set, ada.log_in(&here).await.expect("tokens")];
    is_refused_everywhere_in_time(&here, &tokens[0], &[&far], &there, PROMISED).await;
    keystead.servers.redis.as_mut().expect("Redis").kill();
    // Until the breaker is open, the logout itself waits for Redis; the promise counts from its answer.
    is_refused_everywhere_in_time(&here, &tokens[1], &[&far], &there, PROMISED).await;
    assert!(far.staleness().is_some_and(|staleness| staleness < LIMIT));
}

/// A client behind a link that the test cuts.
async fn behind_a_link(policy: StalePolicy) -> (Keystead, Link, KeysteadClient) {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let (_, credentials) = prepared(&keystead).await;
    let link = Link::to(keystead.replica(0).grpc).await;
    let verifier = builder(link.address(), &credentials).when_stale(policy).start();
    verifier.ready().await;
    (keystead, link, verifier)
}

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_link_is_never_trusted_for_longer_than_the_limit_and_heals() {
    let (keystead, link, verifier) = behind_a_link(StalePolicy::Refuse).await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let tokens = [ada.register(&client).await.set, ada.log_in(&client).await.expect("tokens")];
    assert!(accepts(&verifier, &tokens[0]).await);
    link.hold();
    is_refused_in_time(&client, &tokens[0], &[&verifier], LIMIT).await;
    assert_eq!(outcome(&verifier, &tokens[1]).await, Outcome::Unknown(Ignorance::StaleFeed), "good, but who knows");
    link.heal();
    until("the link to heal", || async { accepts(&verifier, &tokens[1]).await }).await;
    assert!(!accepts(&verifier, &tokens[0]).await, "heard of after the fact");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_link_that_is_down_tokens_live_on_where_the_policy_says_so() {
    let (keystead, link, verifier) = behind_a_link(StalePolicy::AcceptUntilExpiry).await;
    let client = keystead.client().await;
    let tokens = Person::new("ada").register(&client).await.set;
    link.hold();
    client.log_out(&tokens.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    until("the feed to be stale", || async { verifier.staleness().is_some_and(|staleness| staleness > LIMIT) }).await;
    assert!(accepts(&verifier, &tokens).await);
    link.heal();
    until("the revocation to arrive", || async { !accepts(&verifier, &tokens).await }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_that_has_no_bearer_falls_back_to_asking_about_each_token() {
    let keystead = Keystead::start(Backend::Sqlite).await;
    let client = keystead.client().await;
    let tokens = Person::new("ada").register(&client).await.set;
    let bearer = Credentials::bearer(|| async { Ok("nobody".to_owned()) });
    let address = keystead.replica(0).grpc;
    let asking = builder(address, &bearer).when_stale(StalePolicy::FallBackToVerifyToken).start();
    let refusing = builder(address, &bearer).start();
    until("the keys to be fetched", || async { accepts(&asking, &tokens).await }).await;
    assert!(!accepts(&refusing, &tokens).await);
    is_refused_in_time(&client, &tokens, &[&asking], PROMISED).await;
    assert_eq!(asking.staleness(), None);
}

/// The clock of the test's Keystead, for a client that goes with it.
struct Shared(Arc<TestClock>);

impl keystead_client::Clock for Shared {
    fn now(&self) -> i64 {
        self.0.now().as_millis()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

fn kid(tokens: &TokenSet) -> String {
    Jwt::parse(&tokens.access_token).header["kid"].as_str().expect("a kid").to_owned()
}

/// Signs in as soon as another key than these signs.
async fn signed_by_another(client: &Client, person: &Person, known: &[&TokenSet]) -> TokenSet {
    eventually("another key to sign", || async {
        let tokens = person.log_in(client).await.ok()?;
        known.iter().all(|known| kid(known) != kid(&tokens)).then_some(tokens)
    })
    .await
}

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_credentials_follows_a_feed_that_is_open() {
    let keystead = Setup::on(Backend::Sqlite).with("grpc.open_revocation_feed", "true").start().await;
    let client = keystead.client().await;
    let tokens = Person::new("ada").register(&client).await.set;
    let verifier = following(keystead.replica(0).grpc, &Credentials::none()).await;
    assert!(accepts(&verifier, &tokens).await);
    is_refused_in_time(&client, &tokens, &[&verifier], PROMISED).await;
}

// promise T9
async fn a_rotation_and_a_revoked_key_cost_no_good_token_anything(backend: Backend) {
    let keystead = Setup::on(backend).with("keys.reload_interval", "\"100ms\"").start().await;
    let (admin, credentials) = prepared(&keystead).await;
    let client = keystead.client().await;
    let clock = Arc::new(Shared(keystead.clock.clone()));
    let verifier = builder(keystead.replica(0).grpc, &credentials).clock(clock).start();
    verifier.ready().await;
    let ada = Person::new("ada");
    let old = ada.register(&client).await.set;
    admin.rotate_signing_key(RotateSigningKeyRequest {}).await.expect("a key");
    assert!(accepts(&verifier, &old).await);
    keystead.clock.advance(PUBLISHED_BEFORE);
    let next = signed_by_another(&client, &ada, &[&old]).await;
    until("the client to accept the next key's tokens", || async { accepts(&verifier, &next).await }).await;
    assert!(accepts(&verifier, &old).await, "until it expires");

    admin.revoke_signing_key(RevokeSigningKeyRequest { signing_key_id: kid(&next) }).await.expect("gone");
    until("the client to refuse the key's tokens", || async { !accepts(&verifier, &next).await }).await;
    let fresh = signed_by_another(&client, &ada, &[&old, &next]).await;
    until("the client to know its successor", || async { accepts(&verifier, &fresh).await }).await;
    assert!(accepts(&verifier, &old).await, "another key");

    // The client's own bearer is of this key too: it gets another one.
    admin.revoke_signing_key(RevokeSigningKeyRequest { signing_key_id: kid(&old) }).await.expect("gone");
    until("the client to refuse the old key's tokens", || async { !accepts(&verifier, &old).await }).await;
    until("the client to follow again", || async { accepts(&verifier, &fresh).await }).await;
    is_refused_in_time(&client, &fresh, &[&verifier], LIMIT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_outlives_its_replica_and_follows_the_next() {
    let mut keystead = Keystead::start(Backend::Sqlite).await;
    let (_, credentials) = prepared(&keystead).await;
    let link = Link::to(keystead.replica(0).grpc).await;
    let verifier = builder(link.address(), &credentials).start();
    verifier.ready().await;
    let ada = Person::new("ada");
    let client = keystead.client().await;
    let tokens = [ada.register(&client).await.set, ada.log_in(&client).await.expect("tokens")];
    keystead.restart().await;
    link.lead_to(keystead.replica(0).grpc);
    let client = keystead.client().await;
    is_refused_in_time(&client, &tokens[0], &[&verifier], LIMIT).await;
    until("the client to follow again", || async { accepts(&verifier, &tokens[1]).await }).await;
    assert!(!accepts(&verifier, &tokens[0]).await);
}

// promise T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_have_no_redis_tell_their_clients_as_promised() {
    what_is_revoked_on_one_replica_is_refused_by_the_clients_of_each(Backend::Postgres).await;
}

on_each_backend!(
    what_is_revoked_on_one_replica_is_refused_by_the_clients_of_each,
    a_rotation_and_a_revoked_key_cost_no_good_token_anything,
);
