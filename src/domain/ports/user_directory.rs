//! Accounts, as administrators see and change them.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::revocation::Revocation;
use crate::domain::user::User;
use crate::domain::user_change::{Invitation, InvitationOutcome, UpdateOutcome, UserUpdate};
use crate::domain::user_list::UserQuery;

/// Accounts, as administrators see and change them.
#[async_trait]
pub trait UserDirectory: Send + Sync {
    /// Creates an account; one without a password gets the [`MailKind::PasswordReset`] by which its owner sets one.
    /// Nothing is written of an unknown role; a taken address is told in the audit trail.
    ///
    /// [`MailKind::PasswordReset`]: crate::domain::mail::MailKind::PasswordReset
    async fn invite(&self, invitation: &Invitation, context: &AuditContext) -> StoreResult<InvitationOutcome>;

    /// The accounts that the query chooses, in its order, each with its roles.
    async fn list(&self, query: &UserQuery) -> StoreResult<Vec<User>>;

    /// Changes the account if it is at the expected revision. A new address kills the mailed tokens, is asked to be verified
    /// where nothing says that it is, takes the identities away unless only the case of its letters is new, and is told to
    /// the old one ([`MailKind::EmailChanged`]). Sessions go on.
    ///
    /// [`MailKind::EmailChanged`]: crate::domain::mail::MailKind::EmailChanged
    async fn update(&self, update: &UserUpdate, context: &AuditContext) -> StoreResult<UpdateOutcome>;

    /// Takes the password and the identities away, which only their owner's links bring back: raises the epoch, ends every
    /// session, revokes what is out, forgets the mailed tokens, so that they neither work nor count against the hourly
    /// limit, and queues a [`MailKind::PasswordReset`]. `None`
    /// where there is no such account.
    ///
    /// [`MailKind::PasswordReset`]: crate::domain::mail::MailKind::PasswordReset
    async fn require_reset(
        &self,
        user: UserId,
        revocation_expires_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Option<Revocation>>;
}
