//! Identities at providers, and the accounts that they open.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::id::UserId;
use crate::domain::identity::{Adoption, Arrival, LinkedIdentity, Linking, NewLink, Unlink, Unlinking};

/// Identities at providers, and the accounts that they open.
#[async_trait]
pub trait Identities: Send + Sync {
    /// Finds the account that the arrival belongs to, or makes it. By its address alone it is linked only where provider
    /// and account have both verified it; an account that has not is emptied first. One that has been given roles or a
    /// second factor, or that the identity was unlinked from, is left alone. Queues a [`MailKind::IdentityLinked`] where
    /// an account that was there is linked.
    ///
    /// [`MailKind::IdentityLinked`]: crate::domain::mail::MailKind::IdentityLinked
    async fn adopt(&self, arrival: &Arrival, context: &AuditContext) -> StoreResult<Adoption>;

    /// Adds an identity to its owner's account, also one that was unlinked from it; queues a [`MailKind::IdentityLinked`].
    ///
    /// [`MailKind::IdentityLinked`]: crate::domain::mail::MailKind::IdentityLinked
    async fn link(&self, link: &NewLink, context: &AuditContext) -> StoreResult<Linking>;

    /// The user's identities, the oldest first.
    async fn list(&self, user: UserId) -> StoreResult<Vec<LinkedIdentity>>;

    /// Takes an identity from an account, unless nothing would be left for its owner to sign in with: raises the epoch,
    /// ends the other sessions, revokes what is out, queues a [`MailKind::IdentityUnlinked`]. Only its owner's link brings
    /// the identity back.
    ///
    /// [`MailKind::IdentityUnlinked`]: crate::domain::mail::MailKind::IdentityUnlinked
    async fn unlink(&self, unlink: &Unlink, context: &AuditContext) -> StoreResult<Unlinking>;
}
