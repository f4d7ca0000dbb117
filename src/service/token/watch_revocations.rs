//! Follows the revocations, for machines that verify tokens by themselves: a snapshot or what was missed, then the news.
//!
//! A message is made only when the one before has been taken, from what every watcher shares: the index and the last
//! news. So a watcher costs little however slow it is, and one that is too slow for the news is told so.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::RevocationIndex;
/// The words of the feed, for those who convert them.
pub use keystead_verifier::{LiveRevocation, RevokedTarget};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use super::revocation_state::{News, Progress, RevocationState, live};
use crate::crypto::page_token::PageScope;
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::ports::Revocations;
use crate::domain::revocation::{RevocationCursor, RevocationGap};
use crate::service::access::admission::Admission;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// Revocations in one message at most; some 80 KiB.
const MAX_REVOCATIONS: usize = 1_000;

/// What a watcher may have missed and still go on from its cursor; beyond, a snapshot from RAM is cheaper.
const MAX_MISSED: u32 = 10_000;

/// A message comes at least this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Between two messages of news, so that what happens at nearly the same time travels together.
const PACE: Duration = Duration::from_millis(10);

/// When to connect again after having been too slow.
const SLOW_RETRY_AFTER: Duration = Duration::from_secs(1);

const CURSOR_FAULT: &str = "must be the cursor of a message of this service, unchanged";

/// Follows the revocations.
#[derive(Clone)]
pub struct WatchRevocations {
    pub table: Arc<dyn Revocations>,
    pub state: Arc<RevocationState>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// One watcher's way along the revocations.
pub struct RevocationWatch {
    needs: WatchRevocations,
    /// `None` where the feed is open to everybody.
    admission: Option<Admission>,
    news: Receiver<News>,
    /// The next part of the index that the snapshot has to bring.
    next_part: usize,
    /// What has been found and not been told.
    pending: VecDeque<LiveRevocation>,
    /// Up to where all is found.
    found: Progress,
    /// When the message before was made; `None` before the first.
    told_at: Option<Instant>,
}

/// A message.
#[derive(Debug)]
pub struct RevocationMessage {
    pub revocations: Vec<LiveRevocation>,
    /// Only where everything found so far has been told.
    pub completeness: Option<FeedCompleteness>,
}

/// Up to where a watcher that took every message knows all.
#[derive(Debug)]
pub struct FeedCompleteness {
    /// Where to go on, sealed.
    pub cursor: String,
    /// As of when nothing is missing.
    pub at: Timestamp,
    /// How long ago that was when the message was made.
    pub age: Duration,
}

impl WatchRevocations {
    /// Begins with what came after the cursor; where it is empty, with all that is live.
    pub async fn run(&self, cursor: &str, admission: Option<Admission>) -> ServiceResult<RevocationWatch> {
        // In this order nothing is missed: what comes later is news, what came earlier is in the index and the table.
        let news = self.state.listen();
        self.state.fresh()?;
        let found = self.state.progress().ok_or(ServiceError::Internal)?;
        let (next_part, pending) = match cursor {
            "" => (0, VecDeque::new()),
            sealed => (RevocationIndex::PARTS, self.missed(self.open(sealed)?).await?),
        };
        Ok(RevocationWatch { needs: self.clone(), admission, news, next_part, pending, found, told_at: None })
    }

    async fn missed(&self, cursor: RevocationCursor) -> ServiceResult<VecDeque<LiveRevocation>> {
        match self.table.since(cursor, self.clock.now(), MAX_MISSED).await? {
            RevocationGap::Missed(revocations) => Ok(revocations.iter().map(live).collect()),
            RevocationGap::TooWide => Err(ServiceError::CursorTooOld),
        }
    }

    fn open(&self, sealed: &str) -> ServiceResult<RevocationCursor> {
        let bytes = self.keys.ring().pages().open(&scope(), sealed).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        let cursor = bytes.map(|bytes| RevocationCursor(i64::from_be_bytes(bytes)));
        cursor.ok_or_else(|| ServiceError::invalid_field("cursor", CURSOR_FAULT))
    }

    fn completeness(&self, found: Progress) -> FeedCompleteness {
        let place = found.cursor.0.to_be_bytes();
        FeedCompleteness {
            cursor: self.keys.ring().pages().issue(&scope(), &place, self.entropy.as_ref()),
            at: found.complete.at,
            age: self.clock.monotonic().saturating_sub(found.complete.monotonic),
        }
    }
}

fn scope() -> PageScope {
    PageScope { list: "revocation_cursor", caller: String::new(), question: String::new() }
}

impl RevocationWatch {
    /// Waits for the next message: at once as long as there is a snapshot to tell, then when there are news, or a
    /// heartbeat is due. Fails when the caller's bearer is no longer good, or when news were lost to a slow reader.
    pub async fn next(&mut self) -> ServiceResult<RevocationMessage> {
        if self.pending.is_empty() && self.is_caught_up() {
            self.wait().await?;
        }
        self.admission.as_ref().map_or(Ok(()), Admission::check_bearer)?;
        self.gather()?;
        let count = self.pending.len().min(MAX_REVOCATIONS);
        let revocations = self.pending.drain(..count).collect();
        let is_all = self.pending.is_empty() && self.is_caught_up();
        self.told_at = Some(Instant::now());
        Ok(RevocationMessage { revocations, completeness: is_all.then(|| self.needs.completeness(self.found)) })
    }

    /// Whether the snapshot, if there was one, is behind.
    fn is_caught_up(&self) -> bool {
        self.next_part == RevocationIndex::PARTS
    }

    async fn wait(&mut self) -> ServiceResult<()> {
        let Some(told_at) = self.told_at else { return Ok(()) };
        tokio::time::sleep_until(told_at + PACE).await;
        // Progress alone is worth no message of its own: the next heartbeat tells it.
        while self.pending.is_empty() {
            match tokio::time::timeout_at(told_at + HEARTBEAT, self.news.recv()).await {
                Ok(Ok(news)) => self.take(news),
                Ok(Err(RecvError::Lagged(_))) => return Err(too_slow()),
                Ok(Err(RecvError::Closed)) => return Err(ServiceError::Internal),
                Err(_elapsed) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes up as much of the snapshot and of the news as one message can hold, and leaves the rest where it is.
    fn gather(&mut self) -> ServiceResult<()> {
        while self.pending.len() < MAX_REVOCATIONS {
            match self.news.try_recv() {
                Ok(news) => self.take(news),
                Err(TryRecvError::Lagged(_)) => return Err(too_slow()),
                Err(TryRecvError::Closed) => return Err(ServiceError::Internal),
                Err(TryRecvError::Empty) if self.is_caught_up() => return Ok(()),
                Err(TryRecvError::Empty) => {
                    self.pending.extend(self.needs.state.index().part(self.next_part));
                    self.next_part += 1;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, news: News) {
        match news {
            News::Revoked(revocations) => self.pending.extend(revocations.iter().cloned()),
            News::Progress(progress) => self.found = progress,
        }
    }
}

const fn too_slow() -> ServiceError {
    ServiceError::ReaderTooSlow { retry_after: SLOW_RETRY_AFTER }
}

#[cfg(test)]
mod tests;
