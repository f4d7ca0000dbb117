//! The part of `AdminService` that takes accounts in, and gives them away.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use crate::domain::origin::Origin;
use crate::grpc::convert::{admin_users, user_transfer};
use crate::grpc::front::{lasting, split_called};
use crate::grpc::pb;
use crate::grpc::status;
use crate::service::access::admission::Admission;
use crate::service::admin::users::export::{ExportUsers, Hashes};
use crate::service::admin::users::import::ImportUsers;

/// How long a message may be waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The use cases behind it.
pub struct UserTransferApi {
    pub import: Arc<ImportUsers>,
    pub export: ExportUsers,
}

type Answer<T> = Result<Response<T>, Status>;

/// What became of the rows, message by message.
pub type ImportUsersStream = BoxStream<'static, Result<pb::ImportUsersResponse, Status>>;

/// The accounts, page by page.
pub type ExportUsersStream = BoxStream<'static, Result<pb::ExportUsersResponse, Status>>;

impl UserTransferApi {
    pub fn import_users(&self, request: Request<Streaming<pb::ImportUsersRequest>>) -> Answer<ImportUsersStream> {
        let (admission, stay) = lasting(&request)?;
        let admission = admission.ok_or_else(status::internal)?;
        let (_, origin, messages) = split_called(request)?;
        let intake = Intake { import: Arc::clone(&self.import), admission, origin, messages, rows: 0 };
        Ok(Response::new(stay.tell(intake, |intake| Box::pin(intake.next()))))
    }

    pub async fn export_users(&self, request: Request<pb::ExportUsersRequest>) -> Answer<ExportUsersStream> {
        let (admission, stay) = lasting(&request)?;
        let (caller, origin, message) = split_called(request)?;
        let filter = admin_users::exported(message)?;
        let export = self.export.run(filter, Hashes::LeftOut, &caller.initiates(&origin), admission).await?;
        let next =
            stay.tell(export, |export| Box::pin(async { Ok(export.next().await?.map(user_transfer::exported)) }));
        Ok(Response::new(next))
    }
}

/// An import under way: a message is read when the one before has been written, and its answer taken.
struct Intake {
    import: Arc<ImportUsers>,
    admission: Admission,
    origin: Origin,
    messages: Streaming<pb::ImportUsersRequest>,
    /// How many rows have been answered.
    rows: u64,
}

impl Intake {
    async fn next(&mut self) -> Result<Option<pb::ImportUsersResponse>, Status> {
        let message = tokio::time::timeout(PATIENCE, self.messages.message()).await;
        let Some(message) = message.map_err(|_elapsed| status::deadline_exceeded())?? else { return Ok(None) };
        // Who has been disabled or demoted since the message before takes nobody in any more.
        let caller = self.admission.check().await?;
        let rows = message.users.into_iter().map(user_transfer::row).collect();
        let outcomes = self.import.run(rows, &caller.initiates(&self.origin)).await?;
        let first = self.rows + 1;
        self.rows += u64::try_from(outcomes.len()).unwrap_or_default();
        Ok(Some(user_transfer::results(first, outcomes)))
    }
}
