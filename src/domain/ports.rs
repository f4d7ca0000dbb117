//! The ports: what use cases ask of the world. Traits only where there is I/O; each method is atomic.
//!
//! A method that writes does so in one transaction: the change, its revocations, the outbox rows and the audit events,
//! those of a losing outcome too. Absence is `Option`; "could not look" is [`StoreError`].

pub mod audit_trail;
pub mod email_changes;
pub mod identities;
pub mod identity_providers;
pub mod oauth_flows;
pub mod passwords;
pub mod principals;
pub mod profiles;
pub mod retention;
pub mod rights;
pub mod roles;
pub mod second_factors;
pub mod service_accounts;
pub mod user_directory;
pub mod user_transfer;

use std::time::Duration;

use async_trait::async_trait;

use super::audit::AuditEvent;
use super::clock::Timestamp;
use super::email::Email;
use super::id::{MailId, PrincipalId, SessionId, UserId};
use super::key::{KeySwap, RingChange, StoredKeys};
use super::mail::{Backlog, MailError, MailKind, MailMessage, PreparedMail, QueuedMail};
use super::one_time_token::{PasswordReset, ResetOutcome, TokenHash, TokenPurpose, VerificationOutcome};
use super::origin::Origin;
use super::revocation::{Revocation, RevocationCursor, RevocationGap, RevocationPage};
use super::session::{EndScope, NewSession, Rotation, RotationOutcome, Session, SessionCreation, SessionOfUser};
use super::throttle::{Attempt, AttemptKeys, Bucket, ThrottleVerdict};
use super::user::{Account, Creation, NewUser, User};

/// Why the store could not do what it was asked. What exactly happened is in the log, never in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database does not answer in time, or cannot write.
    #[error("the database does not answer")]
    Unavailable,
    /// Concurrent changes kept getting in the way.
    #[error("concurrent changes kept getting in the way")]
    Conflict,
    /// The database answers, but not as this code knows it.
    #[error("the database holds what cannot be")]
    Corrupt,
}

/// What a port answers.
pub type StoreResult<T> = Result<T, StoreError>;

/// When something happens, where it came from, and at whose word: what every writing method needs for its audit events.
#[derive(Clone, Copy, Debug)]
pub struct AuditContext {
    pub at: Timestamp,
    pub origin: Origin,
    /// The authenticated caller; `None` where nobody has shown a bearer, and for the service's own loops.
    pub actor: Option<Actor>,
}

/// Who acts, and in which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    pub id: PrincipalId,
    /// `None` on the command line, and of who showed a secret instead of a token.
    pub session: Option<SessionId>,
}

/// Accounts.
#[async_trait]
pub trait Users: Send + Sync {
    /// Creates the account and queues the mail that verifies its address. Where the address is taken and `tell_owner`
    /// is set, queues a [`MailKind::RegistrationAttempt`] instead.
    async fn create(&self, user: NewUser, tell_owner: bool, context: &AuditContext) -> StoreResult<Creation>;

    async fn find(&self, id: UserId) -> StoreResult<Option<User>>;

    async fn find_by_email(&self, email: &Email) -> StoreResult<Option<Account>>;
}

/// The record of failures in a row and of known sources: the limit that no lost cache can lift.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// Counts an attempt before its secret is checked, so that parallel guesses cannot outrun the count.
    async fn count(&self, keys: &AttemptKeys, context: &AuditContext) -> StoreResult<Attempt>;

    /// Clears the account's failures, after a secret that was right but opened no session.
    async fn clear(&self, keys: &AttemptKeys) -> StoreResult<()>;
}

/// Sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Opens a session if the user is active and still has the epoch that was read; renews an outdated hash, clears
    /// the failures, remembers the source (and queues a [`MailKind::NewSignIn`] if the account has known sources and
    /// this is none of them), ends the oldest sessions over the cap.
    async fn create(&self, session: NewSession, context: &AuditContext) -> StoreResult<SessionCreation>;

    async fn find(&self, id: SessionId) -> StoreResult<Option<SessionOfUser>>;

    /// Moves a session to its next generation by one compare-and-swap, or says why not; ends a replayed session.
    async fn rotate(&self, rotation: Rotation, context: &AuditContext) -> StoreResult<RotationOutcome>;

    /// The user's sessions that can still be refreshed at `now`, the one used last first.
    async fn list(&self, user: UserId, now: Timestamp) -> StoreResult<Vec<Session>>;

    /// Ends sessions of the user that are still open, at the word of the context's actor or else of the user; the
    /// revocations of those that it ended.
    async fn end(
        &self,
        user: UserId,
        scope: EndScope,
        revocations_expire_at: Timestamp,
        context: &AuditContext,
    ) -> StoreResult<Vec<Revocation>>;
}

/// Mailed tokens.
#[async_trait]
pub trait OneTimeTokens: Send + Sync {
    /// The user whom the token would serve at `now`: unused, not replaced, not expired, for this purpose, mailed to
    /// the address that the account still has, the account active. Changes nothing.
    async fn find(&self, hash: &TokenHash, purpose: TokenPurpose, now: Timestamp) -> StoreResult<Option<User>>;

    /// Uses the token up and sets the password: marks the address as verified, raises the epoch, ends every session,
    /// revokes what is out, kills the user's other tokens, forgets failures and known sources, takes away the identities of
    /// an account whose address was not verified, queues a [`MailKind::PasswordChanged`].
    async fn reset_password(&self, reset: PasswordReset, context: &AuditContext) -> StoreResult<ResetOutcome>;

    /// Uses the token up and marks the address as verified; takes away the identities that were there before.
    async fn verify_email(&self, hash: &TokenHash, context: &AuditContext) -> StoreResult<VerificationOutcome>;
}

/// What became of a mail that was to be prepared.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preparation {
    Stored,
    /// The user has been mailed as many tokens of this purpose within the last hour as may be.
    TooMany,
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Queues a mail for an address, known or not: one and the same row and audit event for each.
    async fn enqueue(&self, kind: MailKind, email: &Email, context: &AuditContext) -> StoreResult<()>;

    /// Takes up to `limit` due mails, oldest first, and hides them from other workers for `lease`.
    async fn lease(&self, limit: u32, lease: Duration, now: Timestamp) -> StoreResult<Vec<QueuedMail>>;

    /// Stores a rendered message and the token in it, which kills older ones of the same user and purpose.
    async fn prepare(&self, mail: PreparedMail, tokens_per_hour: u32, now: Timestamp) -> StoreResult<Preparation>;

    /// Puts a mail off after a failed delivery.
    async fn postpone(&self, id: MailId, until: Timestamp) -> StoreResult<()>;

    /// How many mails wait, and since when the oldest.
    async fn backlog(&self) -> StoreResult<Backlog>;

    /// Removes a mail that is delivered, or never will be, and everything it held.
    async fn remove(&self, id: MailId) -> StoreResult<()>;
}

/// The table of revocations.
#[async_trait]
pub trait Revocations: Send + Sync {
    /// Reads what was committed at or after the cursor; from [`RevocationCursor::default`] on, everything that is
    /// still live at `now`.
    async fn read(&self, from: RevocationCursor, now: Timestamp) -> StoreResult<RevocationPage>;

    /// Reads what closes the gap after a cursor, if that is no more than `limit`.
    async fn since(&self, cursor: RevocationCursor, now: Timestamp, limit: u32) -> StoreResult<RevocationGap>;
}

/// The haste that the table lacks: word from other replicas that it has changed. May lose any message.
#[async_trait]
pub trait RevocationSignal: Send + Sync {
    /// Tells the others. Never fails and never waits for long: the table is the truth.
    async fn announce(&self);

    /// Waits for word from another replica; for ever where there is none to hear from.
    async fn heard(&self);
}

/// Server keys.
#[async_trait]
pub trait Keys: Send + Sync {
    async fn load(&self) -> StoreResult<StoredKeys>;

    /// Replaces the whole set by compare-and-swap on its version, with its revocations and events.
    async fn swap(&self, expected_version: i64, change: RingChange, context: &AuditContext) -> StoreResult<KeySwap>;
}

/// The audit trail, for events that no other change carries.
#[async_trait]
pub trait AuditLog: Send + Sync {
    async fn record(&self, event: AuditEvent, context: &AuditContext) -> StoreResult<()>;
}

/// Whether the database answers, and what it says of itself.
#[async_trait]
pub trait Probe: Send + Sync {
    /// The clock of the database's own machine; `None` where it has none but ours.
    async fn time(&self) -> StoreResult<Option<Timestamp>>;

    /// Whether it takes changes: a standby answers, and takes none.
    async fn takes_changes(&self) -> StoreResult<bool>;
}

/// Rate limits. There is always a verdict: where the shared counters are away, local ones judge.
#[async_trait]
pub trait Throttle: Send + Sync {
    /// Counts an attempt in every bucket if every one allows it, in none otherwise.
    async fn check(&self, buckets: &[Bucket]) -> ThrottleVerdict;

    /// Forgets what was counted under the keys.
    async fn clear(&self, keys: &[String]);
}

/// Delivery of mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    async fn send(&self, message: &MailMessage) -> Result<(), MailError>;
}
