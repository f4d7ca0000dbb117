//! Password hashing on threads of its own: a fixed number, each with its memory kept, behind a bounded queue.

use std::time::Duration;

use crate::domain::password::Password;
use crate::domain::user::PasswordHash;

/// The cost of Argon2id and the size of the queue (RFC 9106; OWASP Password Storage Cheat Sheet).
#[derive(Clone, Debug)]
pub struct Settings {
    /// In KiB; 19,456 at least.
    pub memory_kib: u32,
    /// 2 at least.
    pub passes: u32,
    /// 1 at least.
    pub lanes: u32,
    pub threads: usize,
    /// How many passwords may wait, beside those being hashed.
    pub queue: usize,
    /// A secret outside the database, mixed into every new hash.
    pub pepper: Option<zeroize::Zeroizing<Vec<u8>>>,
}

/// Hashes and checks passwords.
pub struct PasswordHasher {}

/// More passwords wait than can be checked in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait")]
pub struct HashCapacity {
    pub retry_after: Duration,
}

/// A reserved place in the queue: what has it will be hashed. Dropped unused, it is free again.
pub struct HashSlot {}

/// Whether a password is the right one.
#[must_use]
#[derive(Clone, Debug)]
pub enum PasswordVerdict {
    /// It is; where the stored hash is foreign, outdated or weaker, a fresh one comes along.
    Right {
        rehash: Option<PasswordHash>,
    },
    Wrong,
}

/// The hashing threads have stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("password hashing has stopped")]
pub struct HasherStopped;

impl PasswordHasher {
    /// Reserves a place in the queue, before anything else is done for a request that will hash.
    pub fn reserve(&self) -> Result<HashSlot, HashCapacity> {
        todo!()
    }
}

impl HashSlot {
    pub async fn hash(self, _password: Password) -> Result<PasswordHash, HasherStopped> {
        todo!()
    }

    /// Checks against the stored hash, or against a dummy that never matches at the same cost where there is none.
    pub async fn verify(
        self,
        _password: Password,
        _stored: Option<PasswordHash>,
    ) -> Result<PasswordVerdict, HasherStopped> {
        todo!()
    }
}
