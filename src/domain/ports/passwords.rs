//! Passwords that their owners replace.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::revocation::Revocation;
use crate::domain::throttle::AttemptKeys;
use crate::domain::user::{Account, Epoch, PasswordHash};

/// A new password in the place of the one that was checked.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    pub user: UserId,
    /// The session that goes on; every other one ends.
    pub session: SessionId,
    /// The epoch and the hash that the current password was checked under.
    pub seen_epoch: Epoch,
    pub from: PasswordHash,
    pub to: PasswordHash,
    /// Keys of the account's and the source's entries in the record of failures and of known sources.
    pub attempt: AttemptKeys,
    /// Until when the revocation of the user's tokens matters.
    pub revocation_expires_at: Timestamp,
}

/// What became of a change.
#[must_use]
#[derive(Clone, Debug)]
pub enum PasswordChangeOutcome {
    /// The password is set, the other sessions have ended, the owner's notice waits in the outbox.
    Changed { revocations: Vec<Revocation> },
    /// The user's epoch, state or hash is no longer what was read: nothing was written.
    UserChanged,
}

/// Passwords of accounts that their owners are signed in to.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// The account with what checks its password.
    async fn account(&self, user: UserId) -> StoreResult<Option<Account>>;

    /// Replaces the password if epoch, state and hash are still those that were read: raises the epoch, ends the other
    /// sessions, revokes what is out, kills the user's mailed tokens, forgets failures and every known source but this
    /// one, queues a [`PasswordChanged`](crate::domain::mail::MailKind::PasswordChanged).
    async fn change(&self, change: PasswordChange, context: &AuditContext) -> StoreResult<PasswordChangeOutcome>;
}
