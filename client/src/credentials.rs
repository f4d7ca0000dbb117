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
/// A token is renewed when it has less to live than this, or than a quarter of its life.
const RENEW_BEFORE: i64 = 60_000;

type BearerFuture = Pin<Box<dyn Future<Output = Result<String, Status>> + Send>>;

/// What the client shows to follow the feed: a service account that has the role `verifier` and may have the audience
/// `keystead`. Debug shows no secret.
#[derive(Clone)]
pub struct Credentials(Kind);

#[derive(Clone)]
enum Kind {
    ServiceAccount { id: String, secret: String },
    Bearer(Arc<dyn Fn() -> BearerFuture + Send + Sync>),
}

impl Credentials {
    /// Id and secret of a service account, exchanged for access tokens that are renewed before they expire.
    pub fn service_account(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self(Kind::ServiceAccount { id: id.into(), secret: secret.into() })
    }

    /// Whatever gives an access token, without the word `Bearer`. It is called for each attempt to follow the feed, and
    /// has to renew what it gives.
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

    /// A bearer that is good for a while yet.
    pub(crate) async fn get(&mut self) -> Result<AsciiMetadataValue, Status> {
        let now = self.clock.now();
        if let Some(kept) = self.kept.as_ref().filter(|kept| now < kept.renew_at) {
            return Ok(kept.bearer.clone());
        }
        let (id, secret) = match &self.credentials.0 {
            Kind::Bearer(bearer) => return header(&bearer().await?),
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
        Ok(bearer)
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
