//! The part of `AdminService` that speaks of the audit trail.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use tonic::{Request, Response, Status};

use crate::grpc::convert::audit;
use crate::grpc::front::{lasting, split_called};
use crate::grpc::pb;
use crate::service::admin::audit::list::ListAuditEvents;
use crate::service::admin::audit::watch::{AuditWatch, WatchAuditEvents};
use crate::service::error::ServiceError;

/// When to connect again, to another replica.
const RECONNECT_AFTER: Duration = Duration::from_millis(500);

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
        let message = request.into_inner();
        let filter = audit::watch_filter(message.filter)?;
        let watch = self.watch.run(filter, &message.cursor, admission).await?;
        Ok(Response::new(told(watch, Box::pin(stay.over()))))
    }
}

/// The messages of a watch, each read only when the one before has been taken, until the stream has to end.
fn told(watch: AuditWatch, over: BoxFuture<'static, ()>) -> WatchAuditEventsStream {
    let messages = stream::try_unfold((watch, over), |(mut watch, mut over)| async move {
        let news = tokio::select! {
            biased;
            () = &mut over => Err(ServiceError::Draining { retry_after: RECONNECT_AFTER }),
            news = watch.next() => news,
        };
        Ok(Some((audit::news(news?), (watch, over))))
    });
    messages.boxed()
}
