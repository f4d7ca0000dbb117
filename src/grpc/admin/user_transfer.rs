//! The part of `AdminService` that takes accounts in, and gives them away.

use std::pin::pin;
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
/// How often is asked meanwhile whether the caller's token is still good.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

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
        let Some(message) = self.message().await? else { return Ok(None) };
        // Who has been disabled or demoted since the message before takes nobody in any more.
        let caller = self.admission.check().await?;
        let rows = message.users.into_iter().map(user_transfer::row).collect();
        let outcomes = self.import.run(rows, &caller.initiates(&self.origin)).await?;
        let first = self.rows + 1;
        self.rows += u64::try_from(outcomes.len()).unwrap_or_default();
        Ok(Some(user_transfer::results(first, outcomes)))
    }

    /// Waits for the next message, as long as the caller's token is good.
    async fn message(&mut self) -> Result<Option<pb::ImportUsersRequest>, Status> {
        let mut message = pin!(tokio::time::timeout(PATIENCE, self.messages.message()));
        let mut checks = tokio::time::interval(CHECK_INTERVAL);
        loop {
            tokio::select! {
                message = message.as_mut() => return message.map_err(|_elapsed| status::deadline_exceeded())?,
                _ = checks.tick() => self.admission.check_bearer()?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use prost::Message as _;
    use tokio::sync::mpsc;
    use tokio::time::Instant;
    use tokio_stream::wrappers::ReceiverStream;
    use tonic::Code;
    use tonic::codec::Codec as _;
    use tonic_prost::ProstCodec;

    use super::*;
    use crate::service::testing::{World, origin};

    type Sent = mpsc::Sender<Result<Frame<Bytes>, Status>>;

    /// An import by an administrator, and where its caller's bytes go.
    async fn begun() -> (Intake, Sent) {
        let world = World::new().await;
        let (_, admission) = world.administrator("ImportUsers").await;
        let import = ImportUsers {
            transfer: Arc::new(world.store.clone()),
            hasher: world.hasher(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
        };
        let (sent, body) = mpsc::channel(2);
        let decoder = ProstCodec::<(), pb::ImportUsersRequest>::default().decoder();
        let messages = Streaming::new_request(decoder, StreamBody::new(ReceiverStream::new(body)), None, None);
        (Intake { import: Arc::new(import), admission, origin: origin(1), messages, rows: 0 }, sent)
    }

    fn framed(email: &str) -> Bytes {
        let users = vec![pb::UserImport { email: email.to_owned(), ..pb::UserImport::default() }];
        let message = pb::ImportUsersRequest { users }.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], &length[..], &message].concat().into()
    }

    // promise N4
    #[tokio::test(start_paused = true)]
    async fn who_stalls_between_messages_or_within_one_is_waited_for_for_30_seconds() {
        let half = framed("ada@example.com").slice(..12);
        for bytes in [None, Some(half)] {
            let (mut intake, sent) = begun().await;
            sent.send(Ok(Frame::data(framed("bob@example.com")))).await.unwrap();
            assert_eq!(intake.next().await.unwrap().unwrap().results.len(), 1);
            if let Some(bytes) = bytes {
                sent.send(Ok(Frame::data(bytes))).await.unwrap();
            }
            let begun = Instant::now();
            assert_eq!(intake.next().await.unwrap_err().code(), Code::DeadlineExceeded);
            assert_eq!(begun.elapsed(), Duration::from_secs(30));
        }
    }
}
