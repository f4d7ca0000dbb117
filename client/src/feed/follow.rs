//! Follows the feed: connects, resumes, begins anew, waits.

use std::sync::Arc;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::{Feed, Taken};
use crate::credentials::BearerSource;
use crate::keys::Keys;
use crate::pb::WatchRevocationsRequest;
use crate::pb::token_service_client::TokenServiceClient;
use crate::retry::Backoff;

/// The service says something at least once a second: a stream that is silent for longer is dead, whatever the
/// connection says.
const SILENCE: Duration = Duration::from_millis(2_500);

/// Follows the feed.
pub(crate) struct Follower {
    pub(crate) feed: Arc<Feed>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) bearer: BearerSource,
    client: TokenServiceClient<Channel>,
    backoff: Backoff,
    /// Whether the stream at hand has brought anything.
    has_heard: bool,
}

impl Follower {
    pub(crate) fn new(feed: Arc<Feed>, keys: Arc<Keys>, bearer: BearerSource, channel: Channel) -> Self {
        let client = TokenServiceClient::new(channel);
        Self { feed, keys, bearer, client, backoff: Backoff::default(), has_heard: false }
    }

    /// Follows the feed, for ever.
    pub(crate) async fn run(mut self) {
        loop {
            self.has_heard = false;
            let end = self.stream().await;
            if !self.begins_anew(&end) {
                tokio::time::sleep(self.backoff.pause(&end)).await;
            }
        }
    }

    /// Whether the next stream may begin at once: where this one went well and only its cursor or its bearer is old.
    fn begins_anew(&mut self, end: &Status) -> bool {
        let code = end.code();
        if matches!(code, Code::OutOfRange | Code::InvalidArgument) {
            let had_cursor = !self.feed.cursor().is_empty();
            self.feed.forget_cursor();
            return had_cursor;
        }
        if code == Code::Unauthenticated {
            self.bearer.forget();
        }
        code == Code::Unauthenticated && self.has_heard
    }

    /// One stream, to its end.
    async fn stream(&mut self) -> Status {
        match self.listen().await {
            Ok(()) => Status::unavailable("the feed has ended"),
            Err(status) => status,
        }
    }

    async fn listen(&mut self) -> Result<(), Status> {
        let mut request = Request::new(WatchRevocationsRequest { cursor: self.feed.cursor() });
        if let Some(bearer) = self.bearer.get().await? {
            request.metadata_mut().insert("authorization", bearer);
        }
        let mut transit = self.feed.transit();
        let begun = tokio::time::timeout(SILENCE, self.client.watch_revocations(request)).await;
        let mut messages = begun.map_err(|_| silent())??.into_inner();
        while let Some(message) = tokio::time::timeout(SILENCE, messages.message()).await.map_err(|_| silent())?? {
            let taken = self.feed.take(message, &mut transit).map_err(|_| unreadable())?;
            self.has_heard = true;
            self.backoff.succeeded();
            match taken {
                Taken::KeyRevoked => self.keys.key_revoked(),
                Taken::NoKeyRevoked => {}
            }
            if transit.is_too_late() {
                return Err(Status::unavailable("the feed is late"));
            }
        }
        Ok(())
    }
}

fn silent() -> Status {
    Status::unavailable("the feed is silent")
}

/// Asked for again from the last cursor: until then the feed goes stale, as it has to.
fn unreadable() -> Status {
    Status::data_loss("the feed cannot be read")
}
