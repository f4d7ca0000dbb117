//! A client's end of the feed of revocations.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use keystead::grpc::pb::revocation::Target;
use keystead::grpc::pb::token_service_client::TokenServiceClient;
use keystead::grpc::pb::{WatchRevocationsRequest, WatchRevocationsResponse};
use tonic::Streaming;

use super::client::{Answer, Client};
use super::failure::Failure;
use super::wait::patiently;

/// The feed, and what has been told by it.
pub struct Feed {
    stream: Streaming<WatchRevocationsResponse>,
    /// Of the last message that had one.
    pub cursor: String,
    /// Every session that has been told as revoked.
    pub sessions: BTreeSet<String>,
}

impl Feed {
    /// Begins after the cursor; an empty one begins with a snapshot.
    pub async fn begin(client: &Client, cursor: &str) -> Answer<Self> {
        let request = client.shown(WatchRevocationsRequest { cursor: cursor.to_owned() });
        let begun = TokenServiceClient::new(client.channel.clone()).watch_revocations(request).await;
        let stream = begun.map_err(Failure::checked)?.into_inner();
        Ok(Self { stream, cursor: cursor.to_owned(), sessions: BTreeSet::new() })
    }

    pub async fn message(&mut self) -> Answer<WatchRevocationsResponse> {
        let message = patiently("a message", self.stream.message()).await.map_err(Failure::checked)?;
        let message = message.expect("a stream ends with a status alone");
        for revocation in &message.revocations {
            assert!(revocation.expire_time.is_some());
            if let Some(Target::SessionId(id)) = &revocation.target {
                self.sessions.insert(id.clone());
            }
        }
        assert_eq!(message.cursor.is_empty(), message.complete_time.is_none());
        if !message.cursor.is_empty() {
            self.cursor.clone_from(&message.cursor);
        }
        Ok(message)
    }

    /// Takes messages until one says that nothing is missing; how old that word is.
    pub async fn caught_up(&mut self) -> Duration {
        let told = async {
            loop {
                if let Some(age) = self.message().await.expect("a message").age {
                    return Duration::try_from(age).expect("no negative age");
                }
            }
        };
        patiently("a feed that is whole", told).await
    }

    /// Takes messages until they have told of the session.
    pub async fn hears_of(&mut self, session: &str) {
        let told = async {
            while !self.sessions.contains(session) {
                self.message().await.expect("a message");
            }
        };
        patiently("the feed to tell of the session", told).await;
    }

    /// Takes messages until they have told of every session.
    pub async fn hears_of_all(mut self, sessions: Arc<BTreeSet<String>>) {
        let told = async {
            while !sessions.is_subset(&self.sessions) {
                self.message().await.expect("a message");
            }
        };
        patiently("the feed to tell of every session", told).await;
    }

    /// How the stream ends.
    pub async fn end(&mut self) -> Failure {
        let ended = async {
            loop {
                if let Err(failure) = self.message().await {
                    return failure;
                }
            }
        };
        patiently("the end of the feed", ended).await
    }
}
