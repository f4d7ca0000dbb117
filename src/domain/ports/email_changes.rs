//! Changes of address.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::email_change::{EmailChangeConfirmed, EmailChangeRequest, EmailChangeRequested};
use crate::domain::one_time_token::TokenHash;

/// Changes of address.
#[async_trait]
pub trait EmailChanges: Send + Sync {
    /// Queues one mail: a [`MailKind::EmailChange`] to the new address, or, where another account has it, a
    /// [`MailKind::EmailChangeAttempt`] to that account's owner. The effort is the same.
    ///
    /// [`MailKind::EmailChange`]: crate::domain::mail::MailKind::EmailChange
    /// [`MailKind::EmailChangeAttempt`]: crate::domain::mail::MailKind::EmailChangeAttempt
    async fn request(&self, request: &EmailChangeRequest, context: &AuditContext) -> StoreResult<EmailChangeRequested>;

    /// Uses the token up and gives the account the address that it was mailed to, verified: raises the revision, kills
    /// the user's other tokens, queues a [`MailKind::EmailChanged`] to the old address. Sessions go on, and
    /// identities stay: a fresh session of the owner has asked for it.
    ///
    /// [`MailKind::EmailChanged`]: crate::domain::mail::MailKind::EmailChanged
    async fn confirm(&self, token: &TokenHash, context: &AuditContext) -> StoreResult<EmailChangeConfirmed>;
}
