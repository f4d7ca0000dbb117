//! Whether tokens can be judged: the index of revocations and how fresh it is.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use keystead_verifier::RevocationIndex;
use tokio::sync::Notify;

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::revocation::{Revocation, RevocationTarget};
use crate::service::error::{ServiceError, ServiceResult};

/// When to ask again while revocations have not been read for too long.
const STALE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// As of when every revocation is in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// For those who are told.
    pub at: Timestamp,
    /// For the judgement of staleness: a stepped wall clock changes nothing.
    pub monotonic: Duration,
}

impl Completeness {
    /// By how much the wall clock is ahead of the monotonic one, in milliseconds: changes only when it is stepped.
    pub fn ahead(&self) -> i64 {
        self.at.as_millis().saturating_sub(i64::try_from(self.monotonic.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The live revocations in RAM, and as of when they are complete.
pub struct RevocationState {
    index: RevocationIndex,
    complete: ArcSwapOption<Completeness>,
    key_revoked: Notify,
    clock: Arc<dyn Clock>,
    max_staleness: Duration,
}

impl RevocationState {
    /// An empty state, which judges nothing until the table has been read once.
    pub fn new(clock: Arc<dyn Clock>, max_staleness: Duration) -> Self {
        Self {
            index: RevocationIndex::default(),
            complete: ArcSwapOption::empty(),
            key_revoked: Notify::new(),
            clock,
            max_staleness,
        }
    }

    pub fn index(&self) -> &RevocationIndex {
        &self.index
    }

    /// Puts revocations into the index; the same one twice does no harm.
    pub fn apply(&self, revocations: &[Revocation]) {
        for revocation in revocations {
            let expires_at = revocation.expires_at.as_millis();
            match &revocation.target {
                RevocationTarget::Session(id) => self.index.revoke_session(id.as_uuid(), expires_at),
                RevocationTarget::User { id, min_epoch } => {
                    self.index.revoke_user(id.as_uuid(), min_epoch.0, expires_at);
                }
                RevocationTarget::Key(kid) => {
                    self.index.revoke_key(kid, expires_at);
                    self.key_revoked.notify_one();
                }
            }
        }
    }

    /// Waits for the revocation of a key; for one waiter.
    pub async fn key_revoked(&self) {
        self.key_revoked.notified().await;
    }

    /// Both clocks, read before the table is: what [`Self::completed`] is told afterwards.
    pub fn begin(&self) -> Completeness {
        Completeness { at: self.clock.now(), monotonic: self.clock.monotonic() }
    }

    /// Notes that every revocation committed before `reading` began is in the index, and forgets the dead ones.
    pub fn completed(&self, reading: Completeness) {
        self.index.prune(reading.at.as_millis());
        self.complete.store(Some(Arc::new(reading)));
    }

    /// As of when the index is complete, if that is recent enough to judge by.
    pub fn fresh(&self) -> ServiceResult<Timestamp> {
        let stale = ServiceError::RevocationStateStale { retry_after: STALE_RETRY_AFTER };
        let complete = self.complete.load();
        let complete = complete.as_deref().ok_or_else(|| stale.clone())?;
        let age = self.clock.monotonic().saturating_sub(complete.monotonic);
        if age > self.max_staleness { Err(stale) } else { Ok(complete.at) }
    }
}
