//! Rows that have had their time.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::clock::Timestamp;

/// What goes with time, and by which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perishable {
    /// By when it happened. The trail remembers how far it is gone.
    AuditEvents,
    /// By when it no longer matters.
    Revocations,
    /// By when it stops working, used or not.
    OneTimeTokens,
    /// Sign-ins at providers. By when they can no longer be ended.
    OAuthFlows,
    /// By its absolute lifetime, ended or not: until then its row is the evidence that tells a replay.
    Sessions,
    /// By the last attempt.
    LoginFailures,
    /// By the last sign-in.
    KnownSources,
    /// By when they stop working.
    SignInChallenges,
}

/// Removes rows that have had their time.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Removes up to `limit` rows, the oldest first, whose time is before the given one; how many went. Rows that
    /// somebody else is working on are passed over: any number of replicas may do it at once.
    async fn purge(&self, what: Perishable, before: Timestamp, limit: u32) -> StoreResult<u64>;
}
