//! Judges access tokens from memory alone.

use std::sync::Arc;
use std::time::Duration;

/// The words of a verdict, for those who ask for one.
pub use keystead_verifier::{Claims, Expectations, Verdict};
use keystead_verifier::{Remembered, Verifier};
use tokio::sync::Semaphore;

use super::revocation_state::RevocationState;
use super::settings::TokenSettings;
use crate::domain::clock::{Clock, Timestamp};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// The longest that a verdict may be kept: what a revocation may be late for those who keep it.
const LONGEST_CACHEABLE: Duration = Duration::from_secs(1);

/// How many tokens one step of a batch judges: a few milliseconds of work.
const SLICE: usize = 64;

/// Judges access tokens from memory alone.
#[derive(Clone)]
pub struct VerifyToken {
    verifier: Verifier,
    keys: Arc<LiveKeys>,
    revocations: Arc<RevocationState>,
    clock: Arc<dyn Clock>,
    slices: Arc<Semaphore>,
}

/// A token and what is expected of it.
pub struct VerifyRequest {
    pub access_token: String,
    pub expectations: Expectations,
}

/// A verdict, and how long it may be kept.
#[derive(Clone, Debug)]
pub struct Verified {
    pub verdict: Verdict,
    pub cacheable_for: Duration,
    /// As of when all revocations are known to the verdict.
    pub revocation_state_at: Timestamp,
}

impl VerifyToken {
    pub fn new(
        settings: &TokenSettings,
        keys: Arc<LiveKeys>,
        revocations: Arc<RevocationState>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let verifier = Verifier::new(settings.issuer.clone(), seconds(settings.max_lifetime), seconds(settings.leeway))
            .remembering(settings.remembered_bytes);
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { verifier, keys, revocations, clock, slices: Arc::new(Semaphore::new(threads)) }
    }

    /// What is remembered of tokens that were good.
    pub fn remembered(&self) -> Remembered {
        self.verifier.remembered()
    }

    pub fn run(&self, request: &VerifyRequest) -> ServiceResult<Verified> {
        let revocation_state_at = self.revocations.fresh()?;
        let now = self.clock.now();
        let ring = self.keys.ring();
        let verdict = self.verifier.verify(
            &request.access_token,
            ring.verification_keys(),
            self.revocations.index(),
            &request.expectations,
            now.as_millis(),
        );
        Ok(Verified { cacheable_for: cacheable_for(&verdict, now), verdict, revocation_state_at })
    }

    /// Judges many, in slices on the blocking threads: no network thread is held up, single verifications and other
    /// batches get their turn between two slices, and a caller who has gone stops the work at the next one. No more
    /// slices run at once than there are processors.
    pub async fn run_batch(&self, requests: Vec<VerifyRequest>) -> ServiceResult<Vec<Verified>> {
        let mut verdicts = Vec::with_capacity(requests.len());
        let mut requests = requests.into_iter();
        loop {
            let slice: Vec<_> = requests.by_ref().take(SLICE).collect();
            if slice.is_empty() {
                return Ok(verdicts);
            }
            verdicts.extend(self.run_slice(slice).await?);
        }
    }

    async fn run_slice(&self, slice: Vec<VerifyRequest>) -> ServiceResult<Vec<Verified>> {
        let permit = Arc::clone(&self.slices).acquire_owned().await.map_err(|_| ServiceError::Internal)?;
        let this = self.clone();
        let work = move || {
            // Held by the work, not by the waiting caller, who may go away first.
            let _permit = permit;
            slice.iter().map(|request| this.run(request)).collect()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| ServiceError::Internal)?
    }
}

/// A good token's verdict may be kept for a second at most and never beyond its expiry; a bad one's for a second, since
/// of those only "not yet valid" and "unknown key" can ever turn good.
fn cacheable_for(verdict: &Verdict, now: Timestamp) -> Duration {
    match verdict {
        Verdict::Active(claims) => {
            let expires_at = Timestamp::from_seconds(claims.exp);
            expires_at.since(now).min(LONGEST_CACHEABLE)
        }
        Verdict::NotYetValid | Verdict::UnknownKey => Duration::ZERO,
        Verdict::Expired
        | Verdict::Revoked
        | Verdict::BadSignature
        | Verdict::WrongAudience
        | Verdict::WrongIssuer
        | Verdict::WrongType
        | Verdict::Malformed
        | Verdict::InsufficientRole => LONGEST_CACHEABLE,
    }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
