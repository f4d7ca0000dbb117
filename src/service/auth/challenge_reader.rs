//! Finds the sign-in that a challenge's token stands for; one that stands for none is told.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use crate::crypto::challenge_token;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::origin::Origin;
use crate::domain::ports::second_factors::SecondFactors;
use crate::domain::ports::{AuditContext, AuditLog};
use crate::domain::second_factor::{COMPLETION, ChallengeHash, ChallengePurpose, OpenChallenge};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Finds sign-ins that wait.
pub struct ChallengeReader {
    pub factors: Arc<dyn SecondFactors>,
    pub audit: Arc<dyn AuditLog>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

impl ChallengeReader {
    /// A token that opens nothing counts against the source's budget; a real one does so where a code is checked.
    pub async fn read(
        &self,
        purpose: ChallengePurpose,
        text: &str,
        origin: &Origin,
    ) -> ServiceResult<(ChallengeHash, OpenChallenge)> {
        if let Some(hash) = challenge_token::parse(purpose, text)
            && let Some(challenge) = self.factors.find_challenge(&hash, self.clock.now()).await?
        {
            return Ok((hash, challenge));
        }
        self.guard.admit_source(origin).await?;
        let failed = security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure);
        let event = AuditEvent { detail: Some(COMPLETION.to_owned()), ..failed };
        security_event::log(&event, origin);
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        self.audit.record(event, &context).await?;
        Err(ServiceError::InvalidToken)
    }
}
