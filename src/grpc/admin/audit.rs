//! The part of `AdminService` that speaks of the audit trail.

use tonic::{Request, Response, Status};

use crate::grpc::pb;

/// The use cases behind it.
pub struct AuditApi {}

type Answer<T> = Result<Response<T>, Status>;

/// The stream of audit events.
pub type WatchAuditEventsStream =
    futures_util::stream::BoxStream<'static, Result<pb::WatchAuditEventsResponse, Status>>;

impl AuditApi {
    pub async fn list_audit_events(
        &self,
        _request: Request<pb::ListAuditEventsRequest>,
    ) -> Answer<pb::ListAuditEventsResponse> {
        todo!()
    }

    pub async fn watch_audit_events(
        &self,
        _request: Request<pb::WatchAuditEventsRequest>,
    ) -> Answer<WatchAuditEventsStream> {
        todo!()
    }
}
