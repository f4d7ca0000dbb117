//! The live revocations, in RAM: what has been revoked before it expired.

use std::array;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;

use crate::claims::Claims;

/// Into how many parts the index is cut, so that growing or pruning one of them holds up few readers and not for long.
const SHARDS: usize = 64;

/// The live revocations, in RAM; shared by readers and one writer. Times are milliseconds since the Unix epoch; a
/// revocation must not expire before the last moment, leeway included, at which a token it speaks of could be good.
pub struct RevocationIndex {
    shards: [RwLock<Shard>; SHARDS],
    /// When the revocation of each key expires.
    keys: RwLock<HashMap<String, i64>>,
}

#[derive(Default)]
struct Shard {
    /// When the revocation of each session expires.
    sessions: HashMap<Uuid, i64>,
    users: HashMap<Uuid, UserRevocation>,
}

struct UserRevocation {
    min_epoch: i64,
    expires_at: i64,
}

impl Default for RevocationIndex {
    fn default() -> Self {
        Self { shards: array::from_fn(|_| RwLock::default()), keys: RwLock::default() }
    }
}

impl RevocationIndex {
    pub fn revoke_session(&self, session: Uuid, expires_at: i64) {
        let mut shard = write(self.shard(session));
        let expiry = shard.sessions.entry(session).or_insert(expires_at);
        *expiry = expires_at.max(*expiry);
    }

    /// Refuses the user's tokens whose epoch is below `min_epoch`.
    pub fn revoke_user(&self, user: Uuid, min_epoch: i64, expires_at: i64) {
        let mut shard = write(self.shard(user));
        let revocation = shard.users.entry(user).or_insert(UserRevocation { min_epoch, expires_at });
        revocation.min_epoch = min_epoch.max(revocation.min_epoch);
        revocation.expires_at = expires_at.max(revocation.expires_at);
    }

    pub fn revoke_key(&self, kid: &str, expires_at: i64) {
        let mut keys = write(&self.keys);
        let expiry = keys.entry(kid.to_owned()).or_insert(expires_at);
        *expiry = expires_at.max(*expiry);
    }

    #[must_use]
    pub fn is_revoked(&self, claims: &Claims, kid: &str) -> bool {
        let user_is_revoked =
            |shard: &Shard| shard.users.get(&claims.sub).is_some_and(|it| claims.epoch < it.min_epoch);
        read(self.shard(claims.sid)).sessions.contains_key(&claims.sid)
            || user_is_revoked(&read(self.shard(claims.sub)))
            || self.is_key_revoked(kid)
    }

    /// Whether every token that the key has signed is refused.
    #[must_use]
    pub fn is_key_revoked(&self, kid: &str) -> bool {
        read(&self.keys).contains_key(kid)
    }

    /// Forgets what no longer matters at `now`.
    pub fn prune(&self, now: i64) {
        for shard in &self.shards {
            let mut shard = write(shard);
            shard.sessions.retain(|_, expires_at| *expires_at > now);
            shard.users.retain(|_, revocation| revocation.expires_at > now);
            give_back(&mut shard.sessions);
            give_back(&mut shard.users);
        }
        write(&self.keys).retain(|_, expires_at| *expires_at > now);
    }

    /// The last bits of a UUID of version 7 are random; the first are its time.
    fn shard(&self, id: Uuid) -> &RwLock<Shard> {
        &self.shards[usize::from(id.as_bytes()[15]) % SHARDS]
    }
}

/// Frees the room that a wave of revocations has left behind.
fn give_back<V>(map: &mut HashMap<Uuid, V>) {
    if map.capacity() / 4 > map.len() {
        map.shrink_to(map.len() * 2);
    }
}

/// Each change is whole by itself, so that what a panicking writer left is as good as any.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
