//! Judges access tokens from memory alone.

use std::time::Duration;

use keystead_verifier::{Expectations, Verdict};

use crate::domain::clock::Timestamp;
use crate::service::error::ServiceResult;

/// Judges access tokens from memory alone.
pub struct VerifyToken {}

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
    pub fn run(&self, _request: &VerifyRequest) -> ServiceResult<Verified> {
        todo!()
    }

    /// Judges many, in slices off the network threads.
    pub async fn run_batch(&self, _requests: Vec<VerifyRequest>) -> ServiceResult<Vec<Verified>> {
        todo!()
    }
}
