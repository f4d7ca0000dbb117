//! Mail as files: what the embedded default does instead of sending.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use lettre::message::Mailbox;
use tokio::fs::{self, DirBuilder, File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use super::message::{Carrier, compose};
use crate::domain::clock::Clock;
use crate::domain::mail::{MailError, MailMessage};
use crate::domain::ports::Mailer;

/// Writes each mail as `<mail id>.eml`, whole or not at all. Ids sort by time, and so do the files. Nobody but the
/// operator tidies the folder.
pub struct FileMailer {
    folder: PathBuf,
    from: Mailbox,
    clock: Arc<dyn Clock>,
}

impl FileMailer {
    pub fn new(folder: PathBuf, from: Mailbox, clock: Arc<dyn Clock>) -> Self {
        Self { folder, from, clock }
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, message: &MailMessage) -> Result<(), MailError> {
        let content = compose(message, &self.from, self.clock.now(), Carrier::EightBit)?.formatted();
        let path = self.folder.join(format!("{}.eml", message.id));
        write_whole(&self.folder, &path, &content).await.map_err(|error| {
            tracing::warn!(mail.id = %message.id, error = %error.kind(), "a mail could not be written into its folder");
            MailError::Transient
        })
    }
}

/// The folder may have been tidied away since the last mail, so each one makes it anew if it must.
async fn write_whole(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).await?;
    let unfinished = path.with_extension("unfinished");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished).await?;
    file.write_all(content).await?;
    file.sync_all().await?;
    fs::rename(&unfinished, path).await?;
    // The new name must outlast a power cut, as the outbox's row does not outlast this call.
    File::open(folder).await?.sync_all().await
}
