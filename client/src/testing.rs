//! An issuer for tests, in the test's own process.
//!
//! ```
//! use keystead_client::testing::FakeIssuer;
//! use keystead_client::{Outcome, Refusal};
//!
//! # #[tokio::main]
//! # async fn main() {
//! let issuer = FakeIssuer::start();
//! let keystead = issuer.client("shop").start();
//! keystead.ready().await;
//!
//! let token = issuer.token("shop").role("user");
//! let signed = issuer.sign(&token);
//! assert!(matches!(keystead.verify(&signed, &keystead.expectations()).await, Outcome::Active(_)));
//!
//! issuer.revoke_session(token.claims().sid);
//! issuer.told(&keystead).await;
//! assert_eq!(keystead.verify(&signed, &keystead.expectations()).await, Outcome::Refused(Refusal::Revoked));
//! # }
//! ```

#![expect(clippy::expect_used, reason = "a test's issuer that cannot do its work fails the test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::{LiveRevocation, RevokedTarget};
use tokio::sync::oneshot;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};
use uuid::Uuid;

mod clock;
mod service;
mod signing;
mod state;
mod token;

pub use clock::ManualClock;
pub use token::Token;

use crate::pb::auth_service_server::AuthServiceServer;
use crate::pb::token_service_server::TokenServiceServer;
use crate::{Builder, Clock, Credentials, KeysteadClient, SystemClock};
use service::FakeService;
use state::State;

/// Whose tokens these are.
pub const ISSUER: &str = "http://issuer.test";
/// The one service account that the issuer knows, and its secret.
pub const SERVICE_ACCOUNT: (&str, &str) = ("00000000-0000-7000-8000-000000000001", "kss_testing");

/// How long a client may take to hear of what happens in a moment on an idle machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// An issuer on a port of the loopback. It ends when it is dropped.
pub struct FakeIssuer {
    address: SocketAddr,
    state: Arc<State>,
    clock: Arc<dyn Clock>,
    _end: oneshot::Sender<()>,
}

impl FakeIssuer {
    /// Starts on the machine's clocks, inside of a tokio runtime.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(Arc::new(SystemClock::default()))
    }

    /// Starts on a clock of the test's, which its clients share.
    #[must_use]
    pub fn start_with(clock: Arc<dyn Clock>) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("the port's number");
        let incoming = TcpListenerStream::new(tokio::net::TcpListener::from_std(listener).expect("a tokio runtime"));
        let state = Arc::new(State::new(Arc::clone(&clock)));
        let service = FakeService { state: Arc::clone(&state), clock: Arc::clone(&clock) };
        let (end, ended) = oneshot::channel::<()>();
        let serving = Server::builder()
            .add_service(TokenServiceServer::new(service.clone()))
            .add_service(AuthServiceServer::new(service))
            .serve_with_incoming(incoming);
        tokio::spawn(async move {
            tokio::select! {
                served = serving => served.expect("the issuer serves"),
                _dropped = ended => {}
            }
        });
        Self { address, state, clock, _end: end }
    }

    /// Where it listens, for clients that connect by themselves.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of the issuer, for a service of this name.
    pub fn client(&self, audience: &str) -> Builder {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).expect("an address");
        let (id, secret) = SERVICE_ACCOUNT;
        let credentials = Credentials::service_account(id, secret);
        KeysteadClient::builder(endpoint, ISSUER, audience, credentials).clock(Arc::clone(&self.clock))
    }

    /// A good token for this audience, of somebody new, to be changed and signed.
    #[must_use]
    pub fn token(&self, audience: &str) -> Token {
        Token::new(audience, self.clock.now() / 1_000)
    }

    /// Signs whatever the token says.
    #[must_use]
    pub fn sign(&self, token: &Token) -> String {
        self.state.sign(token.claims())
    }

    /// Revokes a session: the claim `sid`.
    pub fn revoke_session(&self, id: Uuid) {
        self.revoke(RevokedTarget::Session(id));
    }

    /// Revokes the tokens of a user, the claim `sub`, that are of an earlier epoch.
    pub fn revoke_user(&self, id: Uuid, min_epoch: i64) {
        self.revoke(RevokedTarget::User { id, min_epoch });
    }

    /// Signs with a new key from now on; the old ones stay published.
    pub fn rotate(&self) {
        self.state.rotate();
    }

    /// Revokes the key that signs, takes it out of the published set, and signs with a new one.
    pub fn revoke_key(&self) {
        let kid = self.state.replace();
        self.revoke(RevokedTarget::Key(kid));
    }

    /// Says nothing more by the feed, and keeps its connections, until [`Self::speak`].
    pub fn fall_silent(&self) {
        self.state.set_silent(true);
    }

    /// Goes on with the feed.
    pub fn speak(&self) {
        self.state.set_silent(false);
    }

    /// Answers every call with UNAVAILABLE, and keeps its connections, until [`Self::come_back`]. Streams of the feed that
    /// have begun go on: [`Self::cut`] ends them.
    pub fn go_away(&self) {
        self.state.set_away(true);
    }

    /// Answers again.
    pub fn come_back(&self) {
        self.state.set_away(false);
    }

    /// Answers no `VerifyToken` until [`Self::release`].
    pub fn hold(&self) {
        self.state.set_holding(true);
    }

    /// Answers what it has held back.
    pub fn release(&self) {
        self.state.set_holding(false);
    }

    /// Takes no bearer for the feed any more that it has given out: streams end with UNAUTHENTICATED.
    pub fn refuse_bearers(&self) {
        self.state.refuse_bearers();
    }

    /// Ends every stream of the feed with UNAVAILABLE.
    pub fn cut(&self) {
        self.state.cut();
    }

    /// Takes no cursor from before: OUT_OF_RANGE `CURSOR_TOO_OLD`.
    pub fn forget_cursors(&self) {
        self.state.forget_cursors();
    }

    /// How often the keys were asked for.
    #[must_use]
    pub fn key_fetches(&self) -> usize {
        self.state.counts().keys
    }

    /// How often a secret was exchanged for a bearer.
    #[must_use]
    pub fn bearers(&self) -> usize {
        self.state.counts().bearers
    }

    /// How often the service was asked about a token.
    #[must_use]
    pub fn verifications(&self) -> usize {
        self.state.counts().verifications
    }

    /// How often the feed was begun, and how often of that without a cursor.
    #[must_use]
    pub fn feeds(&self) -> (usize, usize) {
        (self.state.counts().feeds, self.state.counts().snapshots)
    }

    /// Waits until the client has heard of everything that was revoked before this call.
    ///
    /// # Panics
    ///
    /// If that takes longer than 20 seconds.
    pub async fn told(&self, client: &KeysteadClient) {
        let heard = tokio::time::timeout(PATIENCE, client.reached(self.state.revocations())).await;
        heard.expect("the client hears of what was revoked");
    }

    fn revoke(&self, target: RevokedTarget) {
        let expires_at = self.clock.now() + crate::clock::millis(Duration::from_hours(2));
        self.state.revoke(LiveRevocation { target, expires_at });
    }
}
