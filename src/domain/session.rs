//! A session: one sign-in, kept in one row however often it is refreshed.

use std::fmt;
use std::time::Duration;

use super::clock::Timestamp;
use super::id::{SessionId, UserId};
use super::name::Name;
use super::origin::Source;
use super::revocation::Revocation;
use super::user::{Epoch, User};

/// The random bytes that a session's refresh tokens are bound to; known to the row alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionSalt(pub [u8; 32]);

impl fmt::Debug for SessionSalt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// How long sessions live, and how many a user may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// A session that is not refreshed for so long ends.
    pub idle_lifetime: Duration,
    /// A session ends after so long, however often it is refreshed.
    pub absolute_lifetime: Duration,
    /// For so long after a rotation the token just used gets the same successor again; zero is strict.
    pub grace: Duration,
    /// The oldest session over this number ends at the next sign-in.
    pub max_per_user: u32,
}

impl Default for SessionLimits {
    fn default() -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self { idle_lifetime: 14 * DAY, absolute_lifetime: 90 * DAY, grace: Duration::from_secs(10), max_per_user: 100 }
    }
}

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    /// Counts rotations; the live refresh token carries it.
    pub generation: u64,
    pub salt: SessionSalt,
    /// Names the server key that authenticates the session's refresh tokens.
    pub refresh_key_id: String,
    pub audience: Vec<String>,
    /// How the user proved who they are (RFC 8176).
    pub methods: Vec<String>,
    pub device_name: Name,
    /// Where the sign-in came from, if that is known.
    pub source: Option<Source>,
    pub authenticated_at: Timestamp,
    /// When the live generation came to be.
    pub rotated_at: Timestamp,
    pub idle_expires_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// Whether the session can still be refreshed.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at && now < self.idle_expires_at
    }

    /// How a refresh token of the generation `presented` stands to the session at `now`.
    pub fn standing(&self, presented: u64, grace: Duration, now: Timestamp) -> Standing {
        if !self.is_live(now) || presented > self.generation {
            Standing::Gone
        } else if presented == self.generation {
            Standing::Current
        } else if presented + 1 == self.generation && now.distance(self.rotated_at) < grace {
            Standing::JustUsed
        } else {
            Standing::Older
        }
    }

    /// When the live refresh token stops working if it is not used.
    pub fn refresh_expires_at(&self) -> Timestamp {
        self.idle_expires_at.min(self.expires_at)
    }
}

/// How a refresh token stands to its session.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The session has ended or expired, or the generation lies ahead of it.
    Gone,
    /// The live token.
    Current,
    /// The last one used, within the grace window.
    JustUsed,
    /// Used before: a replay.
    Older,
}

/// What a sign-in asks the store to write in one transaction.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The row, with `generation` 0 and `ended_at` unset.
    pub session: Session,
    /// The epoch that the password was checked under: if it has moved, nothing is written.
    pub seen_epoch: Epoch,
    /// Keys of the account's and the source's entries in the record of failures and of known sources.
    pub attempt: Option<super::throttle::AttemptKeys>,
    /// The password hash to put in the place of the one that was checked, where that one is outdated or foreign.
    pub rehash: Option<Rehash>,
    pub max_sessions: u32,
    /// Until when the revocation of a session that falls to the cap matters.
    pub revocations_expire_at: Timestamp,
}

/// A compare-and-swap of the stored password hash.
#[derive(Clone, Debug)]
pub struct Rehash {
    pub from: super::user::PasswordHash,
    pub to: super::user::PasswordHash,
}

/// What became of a sign-in.
#[must_use]
#[derive(Clone, Debug)]
pub enum SessionCreation {
    /// The session stands; sessions over the cap have ended with these revocations.
    Created { revocations: Vec<Revocation> },
    /// The user's epoch or state is no longer what was read: nothing was written.
    UserChanged,
}

/// A session and its user, read together.
#[derive(Clone, Debug)]
pub struct SessionOfUser {
    pub session: Session,
    pub user: User,
}

/// A refresh token whose HMAC is right, on its way to its one use.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    pub session_id: SessionId,
    pub user_id: UserId,
    /// The generation that the token carries.
    pub presented: u64,
    /// The epoch that the user was read with: if it has moved, nothing is rotated.
    pub seen_epoch: Epoch,
    pub limits: SessionLimits,
    /// Until when the revocation of a replayed session matters.
    pub revocation_expires_at: Timestamp,
}

/// What became of a rotation.
#[must_use]
#[derive(Clone, Debug)]
pub enum RotationOutcome {
    /// This call alone moved the session to the next generation; the session as it now stands.
    Rotated(Session),
    /// The token was the last one used, within the grace window; the session as it stands, unchanged.
    Repeated(Session),
    /// The token was used before: the session has ended, with the event told, in a committed transaction.
    Replayed { revocation: Revocation },
    /// The session has ended, expired, or never was; or the generation lies ahead.
    Gone,
    /// The user's epoch or state is no longer what was read: nothing was written.
    UserChanged,
}

/// Which sessions of a user end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndScope {
    This(SessionId),
    /// All but this one.
    Others(SessionId),
    All,
}
