//! A revocation: what access tokens already out must be refused, and until when it matters.

use super::clock::Timestamp;
use super::id::{SessionId, UserId};
use super::user::Epoch;

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationTarget {
    /// Every token of the session.
    Session(SessionId),
    /// Every token of the user from before the epoch.
    User { id: UserId, min_epoch: Epoch },
    /// Every token that the key signed.
    Key(String),
}

/// A revocation, written together with what caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub target: RevocationTarget,
    /// After this no token that it speaks of can be alive.
    pub expires_at: Timestamp,
}

/// A place in the table of revocations up to which nothing can be missing. Opaque to everybody but the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RevocationCursor(pub i64);

/// What one reading of the table found.
#[derive(Clone, Debug)]
pub struct RevocationPage {
    /// Every live revocation at or after the cursor that was asked for; one may come again in a later page.
    pub revocations: Vec<Revocation>,
    /// Where the next reading starts. It never passes a transaction that may still commit.
    pub cursor: RevocationCursor,
}

/// What a reader that has been told everything before a cursor has missed since.
#[derive(Clone, Debug)]
pub enum RevocationGap {
    /// Every live revocation that was committed at or after the cursor, and perhaps some from before.
    Missed(Vec<Revocation>),
    /// It is more than was asked for, or the cursor is of another database.
    TooWide,
}
