//! The part of `AdminService` that speaks of the audit trail.

use futures_util::stream::BoxStream;
use tonic::{Request, Response, Status};

use crate::grpc::convert::audit;
use crate::grpc::front::{lasting, split_called};
use crate::grpc::pb;
use crate::grpc::status;
use crate::service::admin::audit::list::ListAuditEvents;
use crate::service::admin::audit::watch::WatchAuditEvents;

/// The use cases behind it.
pub struct AuditApi {
    pub list: ListAuditEvents,
    pub watch: WatchAuditEvents,
}

type Answer<T> = Result<Response<T>, Status>;

/// The stream of audit events.
pub type WatchAuditEventsStream = BoxStream<'static, Result<pb::WatchAuditEventsResponse, Status>>;

impl AuditApi {
    pub async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Answer<pb::ListAuditEventsResponse> {
        let (caller, _, message) = split_called(request)?;
        let page = self.list.run(audit::list_request(message)?, caller.id).await?;
        Ok(Response::new(audit::page(page)))
    }

    pub async fn watch_audit_events(
        &self,
        request: Request<pb::WatchAuditEventsRequest>,
    ) -> Answer<WatchAuditEventsStream> {
        let (admission, stay) = lasting(&request)?;
        let admission = admission.ok_or_else(status::internal)?;
        let message = request.into_inner();
        let filter = audit::watch_filter(message.filter)?;
        let watch = self.watch.run(filter, &message.cursor, admission).await?;
        Ok(Response::new(stay.tell(watch, |watch| Box::pin(async { Ok(Some(audit::news(watch.next().await?))) }))))
    }
}
