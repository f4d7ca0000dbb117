//! Finishes every sign-in, whatever the first factor was: with tokens, or with a challenge where there must be more.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::secret_guard::SecretGuard;
use super::session_opener::{Opened, Opening, SessionOpener};
use super::token_set::TokenSet;
use crate::crypto::challenge_token;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::origin::Origin;
use crate::domain::ports::AuditContext;
use crate::domain::ports::second_factors::SecondFactors;
use crate::domain::second_factor::{ChallengeCreation, ChallengePurpose, NewChallenge};
use crate::service::error::ServiceResult;
use crate::service::second_factor::rule::{FactorRule, may_enroll_by_sign_in};
use crate::service::security_event;

/// Finishes sign-ins.
pub struct SignIn {
    pub opener: Arc<SessionOpener>,
    pub factors: Arc<dyn SecondFactors>,
    pub guard: Arc<SecretGuard>,
    pub rule: FactorRule,
    /// For how long a sign-in waits for its second factor.
    pub challenge_lifetime: Duration,
}

/// What a right first factor gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedIn {
    Tokens(TokenSet),
    /// Nobody is signed in yet.
    Challenge(Challenge),
}

/// What became of a sign-in whose first factor was right.
#[must_use]
pub enum Finished {
    Done(SignedIn),
    /// The user's epoch or state is no longer what was read: nothing was written.
    UserChanged,
    /// A role asks for a second factor, and none may be enrolled before the address is verified: nothing was written.
    EmailNotVerified,
}

/// Asks for more than the first factor.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    pub token: Zeroizing<String>,
    pub purpose: ChallengePurpose,
    pub expires_at: Timestamp,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Challenge").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

impl SignIn {
    /// The account's rates and failures are forgotten with a session alone: a right password must not lift the limit on
    /// guessing the second factor. A factor that is enrolled after it was looked for has raised the epoch: no session is opened past it.
    pub async fn finish(&self, opening: Opening, origin: &Origin) -> ServiceResult<Finished> {
        if self.factors.is_enrolled(opening.user.id).await? {
            return self.challenge(opening, ChallengePurpose::Completion, origin).await;
        }
        if !self.rule.lets_in(&opening.user.roles, &opening.methods) {
            if !may_enroll_by_sign_in(&opening.user) {
                return Ok(Finished::EmailNotVerified);
            }
            return self.challenge(opening, ChallengePurpose::Enrollment, origin).await;
        }
        let email = opening.user.email.clone();
        match self.opener.open(opening, origin).await? {
            Opened::UserChanged => Ok(Finished::UserChanged),
            Opened::Open(tokens) => {
                self.guard.forgive(&email, origin).await;
                Ok(Finished::Done(SignedIn::Tokens(tokens)))
            }
        }
    }

    async fn challenge(&self, opening: Opening, purpose: ChallengePurpose, origin: &Origin) -> ServiceResult<Finished> {
        let Opening { user, methods, audience, device_name, attempt: _, rehash } = opening;
        let at = self.opener.clock.now();
        let expires_at = at.after(self.challenge_lifetime);
        let minted = challenge_token::mint(purpose, self.opener.entropy.as_ref());
        let (hash, user_id, seen_epoch) = (minted.hash, user.id, user.epoch);
        let new = NewChallenge { hash, user_id, seen_epoch, methods, audience, device_name, rehash, expires_at };
        match self.factors.challenge(new, &AuditContext { at, origin: *origin, actor: None }).await? {
            ChallengeCreation::UserChanged => Ok(Finished::UserChanged),
            ChallengeCreation::Created => {
                let kind = AuditKind::LoginChallenged;
                security_event::log(&security_event::event_of(kind, AuditOutcome::Success, user_id, None), origin);
                Ok(Finished::Done(SignedIn::Challenge(Challenge { token: minted.text, purpose, expires_at })))
            }
        }
    }
}

#[cfg(test)]
mod tests;
