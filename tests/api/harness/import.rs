//! A client's end of an import, and of an export.

use keystead::grpc::pb::admin_service_client::AdminServiceClient;
use keystead::grpc::pb::{
    ExportUsersRequest, ExportedUser, ImportResult, ImportUsersRequest, ImportUsersResponse, UserFilter, UserImport,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::client::{Answer, Client};
use super::failure::Failure;

/// An import under way.
pub struct Import {
    rows: mpsc::Sender<ImportUsersRequest>,
    answers: Streaming<ImportUsersResponse>,
}

impl Import {
    pub async fn begin(client: &Client) -> Answer<Self> {
        let (rows, sent) = mpsc::channel(1);
        let request = client.shown(ReceiverStream::new(sent));
        let begun = AdminServiceClient::new(client.channel.clone()).import_users(request).await;
        Ok(Self { rows, answers: begun.map_err(Failure::checked)?.into_inner() })
    }

    /// Sends a message and waits for its answer.
    pub async fn send(&mut self, users: Vec<UserImport>) -> Answer<Vec<ImportResult>> {
        // Where the stream has ended, its end tells why.
        drop(self.rows.send(ImportUsersRequest { users }).await);
        self.answer().await
    }

    /// Waits for what comes next, though nothing has been sent.
    pub async fn answer(&mut self) -> Answer<Vec<ImportResult>> {
        let answer = self.answers.message().await.map_err(Failure::checked)?;
        Ok(answer.expect("an answer to each message").results)
    }

    /// Sends no more; the stream ends well.
    pub async fn end(mut self) {
        drop(self.rows);
        assert_eq!(self.answers.message().await.map_err(Failure::checked).expect("no failure"), None);
    }
}

impl Client {
    /// Imports the rows by one message.
    pub async fn import(&self, users: Vec<UserImport>) -> Answer<Vec<ImportResult>> {
        let mut import = Import::begin(self).await?;
        let results = import.send(users).await?;
        import.end().await;
        Ok(results)
    }

    pub async fn export(&self, filter: UserFilter) -> Answer<Vec<ExportedUser>> {
        let request = self.shown(ExportUsersRequest { filter: Some(filter) });
        let begun = AdminServiceClient::new(self.channel.clone()).export_users(request).await;
        let mut pages = begun.map_err(Failure::checked)?.into_inner();
        let mut users = Vec::new();
        while let Some(page) = pages.message().await.map_err(Failure::checked)? {
            users.extend(page.users);
        }
        Ok(users)
    }
}
