//! Second factors, and the sign-ins that wait for one.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::second_factor::{
    ChallengeCreation, ChallengeHash, Completion, CompletionOutcome, EnrolledFactor, FactorChange, FactorOutcome,
    NewChallenge, OpenChallenge,
};

/// Second factors, and the sign-ins that wait for one.
#[async_trait]
pub trait SecondFactors: Send + Sync {
    /// Whether the account has a second factor.
    async fn is_enrolled(&self, user: UserId) -> StoreResult<bool>;

    /// What may be told of the account's second factor; `None` where there is none.
    async fn describe(&self, user: UserId) -> StoreResult<Option<EnrolledFactor>>;

    /// Keeps a sign-in waiting if the user is active and still has the epoch that was read; renews an outdated hash.
    /// Failures stay counted: only a session clears them.
    async fn challenge(&self, challenge: NewChallenge, context: &AuditContext) -> StoreResult<ChallengeCreation>;

    /// The sign-in that the token would serve at `now`: not used up, not expired, the user active and of the same epoch.
    /// Changes nothing.
    async fn find_challenge(&self, hash: &ChallengeHash, now: Timestamp) -> StoreResult<Option<OpenChallenge>>;

    /// Uses challenge and code up and opens the session, as [`Sessions::create`] does. Each step of time and each recovery
    /// code works once; a recovery code is told to the owner ([`MailKind::RecoveryCodeUsed`]). A wrong code counts against
    /// the challenge, which ends with the fifth, and against the authenticator. The end is told to the owner too, once in
    /// [`WARNING_PAUSE`] at most ([`MailKind::WrongCodes`]): whoever guesses codes has got past the first factor.
    ///
    /// [`Sessions::create`]: super::Sessions::create
    /// [`MailKind::RecoveryCodeUsed`]: crate::domain::mail::MailKind::RecoveryCodeUsed
    /// [`MailKind::WrongCodes`]: crate::domain::mail::MailKind::WrongCodes
    /// [`WARNING_PAUSE`]: crate::domain::second_factor::WARNING_PAUSE
    async fn complete(&self, completion: Completion, context: &AuditContext) -> StoreResult<CompletionOutcome>;

    /// Changes the second factor: raises the epoch, ends the other sessions, revokes what is out, tells the owner by mail,
    /// and opens the session of the sign-in that goes on with it.
    async fn change(&self, change: FactorChange, context: &AuditContext) -> StoreResult<FactorOutcome>;
}
