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

impl Perishable {
    pub const ALL: [Self; 8] = [
        Self::AuditEvents,
        Self::Revocations,
        Self::OneTimeTokens,
        Self::OAuthFlows,
        Self::Sessions,
        Self::LoginFailures,
        Self::KnownSources,
        Self::SignInChallenges,
    ];

    /// The word for it, that of its table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AuditEvents => "audit_events",
            Self::Revocations => "revocations",
            Self::OneTimeTokens => "one_time_tokens",
            Self::OAuthFlows => "oauth_flows",
            Self::Sessions => "sessions",
            Self::LoginFailures => "login_failures",
            Self::KnownSources => "known_sources",
            Self::SignInChallenges => "sign_in_challenges",
        }
    }
}

/// Removes rows that have had their time.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Removes up to `limit` rows, the oldest first, whose time is before the given one; how many went. Rows that
    /// somebody else is working on are passed over: any number of replicas may do it at once.
    async fn purge(&self, what: Perishable, before: Timestamp, limit: u32) -> StoreResult<u64>;
}
