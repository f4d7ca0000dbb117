//! A client's end of the stream of audit events.

use keystead::grpc::pb::admin_service_client::AdminServiceClient;
use keystead::grpc::pb::{AuditEvent, AuditEventFilter, WatchAuditEventsRequest, WatchAuditEventsResponse};
use tonic::Streaming;

use super::client::{Answer, Client};
use super::failure::Failure;
use super::wait::patiently;

/// A stream of audit events, and what has been told by it.
pub struct Watch {
    stream: Streaming<WatchAuditEventsResponse>,
    /// Of the last message.
    pub cursor: String,
    /// An account that none of the events that count is about.
    ignored: Option<String>,
    /// What came between the last call of `events` and the end.
    pub late: Vec<AuditEvent>,
}

impl Watch {
    /// Begins after the cursor; an empty one begins now.
    pub async fn begin(client: &Client, kinds: &[&str], cursor: &str) -> Answer<Self> {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let filter = Some(AuditEventFilter { kinds, ..AuditEventFilter::default() });
        let request = client.shown(WatchAuditEventsRequest { filter, cursor: cursor.to_owned() });
        let begun = AdminServiceClient::new(client.channel.clone()).watch_audit_events(request).await;
        let stream = begun.map_err(Failure::checked)?.into_inner();
        Ok(Self { stream, cursor: cursor.to_owned(), ignored: None, late: Vec::new() })
    }

    /// From now on events about this account are passed over.
    pub fn ignore(&mut self, subject_id: &str) {
        self.ignored = Some(subject_id.to_owned());
    }

    /// The events of the next message, which may be a heartbeat.
    pub async fn message(&mut self) -> Answer<Vec<AuditEvent>> {
        let message = patiently("a message", self.stream.message()).await.map_err(Failure::checked)?;
        let message = message.expect("a stream ends with a status alone");
        self.cursor = message.cursor;
        let counts = |event: &AuditEvent| self.ignored.as_ref() != Some(&event.subject_id);
        Ok(message.audit_events.into_iter().filter(counts).collect())
    }

    /// Events until there are so many.
    pub async fn events(&mut self, count: usize) -> Vec<AuditEvent> {
        let mut events = Vec::new();
        let told = async {
            while events.len() < count {
                events.extend(self.message().await.expect("a message"));
            }
        };
        patiently("events", told).await;
        events
    }

    /// How the stream ends; what it tells before is kept in `late`.
    pub async fn end(&mut self) -> Failure {
        let ended = async {
            loop {
                match self.message().await {
                    Ok(events) => self.late.extend(events),
                    Err(failure) => return failure,
                }
            }
        };
        patiently("the end of the stream", ended).await
    }
}
