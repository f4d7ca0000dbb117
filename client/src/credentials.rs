//! Who the client is to the service: what it shows to follow the feed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::clock::Clock;
use crate::pb::IssueServiceTokenRequest;
use crate::pb::token_service_client::TokenServiceClient;

/// The audience of the service itself: the feed wants a bearer that is meant for it.
const KEYSTEAD: &str = "keystead";
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a bearer may be waited for, the connection to the service included: as long as the feed may be stale.
const PATIENCE: Duration = Duration::from_secs(5);
/// A token is renewed when it has less to live than this, or than a quarter of its life.
const RENEW_BEFORE: i64 = 60_000;

type BearerFuture = Pin<Box<dyn Future<Output = Result<String, Status>> + Send>>;

/// What the client shows to follow the feed: a service account that has the role `verifier` and may have the audience
/// `keystead`. Debug shows no secret.
#[derive(Clone)]
pub struct Credentials(Kind);

#[derive(Clone)]
enum Kind {
    None,
    ServiceAccount { id: String, secret: String },
    Bearer(Arc<dyn Fn() -> BearerFuture + Send + Sync>),
}

impl Credentials {
    /// Nothing, where the operator has opened the feed (`grpc.open_revocation_feed`).
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// Id and secret of a service account, exchanged for access tokens that are renewed before they expire.
    pub fn service_account(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self(Kind::ServiceAccount { id: id.into(), secret: secret.into() })
    }

    /// Whatever gives an access token, without the word `Bearer`. It is called for each attempt to follow the feed, has
    /// to renew what it gives, and is given up after five seconds, to be called again.
    pub fn bearer<F, B>(bearer: B) -> Self
    where
        B: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<String, Status>> + Send + 'static,
    {
        Self(Kind::Bearer(Arc::new(move || Box::pin(bearer()))))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials([redacted])")
    }
}

/// Keeps a bearer for the feed.
pub(crate) struct BearerSource {
    credentials: Credentials,
    client: TokenServiceClient<Channel>,
    clock: Arc<dyn Clock>,
    kept: Option<Kept>,
}

struct Kept {
    bearer: AsciiMetadataValue,
    /// By the wall clock, in milliseconds.
    renew_at: i64,
}

impl BearerSource {
    pub(crate) fn new(credentials: Credentials, channel: Channel, clock: Arc<dyn Clock>) -> Self {
        Self { credentials, client: TokenServiceClient::new(channel), clock, kept: None }
    }

    /// A bearer that is good for a while yet, where one is shown; never waits for long, whoever gives it.
    pub(crate) async fn get(&mut self) -> Result<Option<AsciiMetadataValue>, Status> {
        let bearer = tokio::time::timeout(PATIENCE, self.kept_or_new()).await;
        bearer.map_err(|_| Status::deadline_exceeded("no bearer came in time"))?
    }

    async fn kept_or_new(&mut self) -> Result<Option<AsciiMetadataValue>, Status> {
        let now = self.clock.now();
        if let Some(kept) = self.kept.as_ref().filter(|kept| now < kept.renew_at) {
            return Ok(Some(kept.bearer.clone()));
        }
        let (id, secret) = match &self.credentials.0 {
            Kind::None => return Ok(None),
            Kind::Bearer(bearer) => return header(&bearer().await?).map(Some),
            Kind::ServiceAccount { id, secret } => (id.clone(), secret.clone()),
        };
        let mut request =
            Request::new(IssueServiceTokenRequest { service_account_id: id, secret, audience: KEYSTEAD.to_owned() });
        request.set_timeout(TIMEOUT);
        let issued = self.client.issue_service_token(request).await?.into_inner();
        let expires_at = issued.expire_time.map_or(now, |time| time.seconds.saturating_mul(1_000));
        let bearer = header(&issued.access_token)?;
        let spare = RENEW_BEFORE.min(expires_at.saturating_sub(now) / 4);
        self.kept = Some(Kept { bearer: bearer.clone(), renew_at: expires_at.saturating_sub(spare) });
        Ok(Some(bearer))
    }

    /// The service takes the bearer no longer: the next is a new one.
    pub(crate) fn forget(&mut self) {
        self.kept = None;
    }
}

fn header(token: &str) -> Result<AsciiMetadataValue, Status> {
    let mut value: AsciiMetadataValue =
        format!("Bearer {token}").parse().map_err(|_| Status::unauthenticated("the bearer is no header's value"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tonic::Code;
    use tonic::transport::Endpoint;

    use super::*;
    use crate::SystemClock;

    #[tokio::test(start_paused = true)]
    async fn a_bearer_that_never_comes_is_given_up_and_asked_for_again() {
        let answers = Arc::new(AtomicBool::new(false));
        let credentials = Credentials::bearer(move || {
            let answers = answers.swap(true, Ordering::SeqCst);
            async move { if answers { Ok("token".to_owned()) } else { std::future::pending().await } }
        });
        let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
        let mut source = BearerSource::new(credentials, channel, Arc::new(SystemClock::default()));
        let asked_at = tokio::time::Instant::now();
        assert_eq!(source.get().await.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(asked_at.elapsed().as_secs(), PATIENCE.as_secs());
        assert_eq!(source.get().await.unwrap().unwrap(), "Bearer token");
    }
}
