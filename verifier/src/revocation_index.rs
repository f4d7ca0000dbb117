//! The live revocations, in RAM: what has been revoked before it expired.

use std::array;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use uuid::Uuid;

use crate::claims::Claims;

/// Into how many parts the index is cut, so that growing or pruning one of them holds up few readers and not for long.
const SHARDS: usize = 64;

/// What is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RevokedTarget {
    /// Every token of the session.
    Session(Uuid),
    /// The user's tokens whose epoch is below `min_epoch`.
    User {
        /// The claim `sub`.
        id: Uuid,
        /// The lowest value of the claim `epoch` that is still good.
        min_epoch: i64,
    },
    /// Every token that the key with this id signed.
    Key(String),
}

/// A revocation, and when it no longer matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LiveRevocation {
    /// What is revoked.
    pub target: RevokedTarget,
    /// From when on nothing that it speaks of could be good anyway, in milliseconds since the Unix epoch.
    pub expires_at: i64,
}

/// Whether a revocation told the index anything.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something of it was not known before.
    New,
    /// All of it was known before.
    Known,
}

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
    /// Puts a revocation in. Of several with the same target the highest epoch and the latest expiry stay.
    pub fn revoke(&self, revocation: &LiveRevocation) -> Change {
        let expires_at = revocation.expires_at;
        match &revocation.target {
            RevokedTarget::Session(id) => later(&mut write(self.shard(*id)).sessions, *id, expires_at),
            RevokedTarget::User { id, min_epoch } => revoke_user(
                &mut write(self.shard(*id)).users,
                *id,
                UserRevocation { min_epoch: *min_epoch, expires_at },
            ),
            RevokedTarget::Key(kid) => later(&mut write(&self.keys), kid.clone(), expires_at),
        }
    }

    /// Whether the token's session, its subject's epoch or the key `kid` that signed it is revoked.
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

    /// How many are live, or were when they were last pruned.
    pub fn count(&self) -> usize {
        let of_shard = |shard: &RwLock<Shard>| {
            let shard = read(shard);
            shard.sessions.len() + shard.users.len()
        };
        self.shards.iter().map(of_shard).sum::<usize>() + read(&self.keys).len()
    }

    /// How many parts [`Self::part`] has.
    pub const PARTS: usize = SHARDS + 1;

    /// One part of all that is live, by its number from 0 on; nothing beyond [`Self::PARTS`]. What is put in while the
    /// parts are read may be left out.
    pub fn part(&self, number: usize) -> Vec<LiveRevocation> {
        match self.shards.get(number) {
            Some(shard) => read(shard).contents(),
            None if number == SHARDS => keys(&read(&self.keys)),
            None => Vec::new(),
        }
    }

    /// The last bits of a UUID of version 7 are random; the first are its time.
    fn shard(&self, id: Uuid) -> &RwLock<Shard> {
        &self.shards[usize::from(id.as_bytes()[15]) % SHARDS]
    }
}

impl Shard {
    fn contents(&self) -> Vec<LiveRevocation> {
        let sessions = self.sessions.iter().map(|(id, expires_at)| (RevokedTarget::Session(*id), *expires_at));
        let users = self
            .users
            .iter()
            .map(|(id, user)| (RevokedTarget::User { id: *id, min_epoch: user.min_epoch }, user.expires_at));
        sessions.chain(users).map(|(target, expires_at)| LiveRevocation { target, expires_at }).collect()
    }
}

fn keys(keys: &HashMap<String, i64>) -> Vec<LiveRevocation> {
    let key = |(kid, expires_at): (&String, &i64)| LiveRevocation {
        target: RevokedTarget::Key(kid.clone()),
        expires_at: *expires_at,
    };
    keys.iter().map(key).collect()
}

fn later<K: Eq + Hash>(map: &mut HashMap<K, i64>, key: K, expires_at: i64) -> Change {
    match map.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(expires_at);
            Change::New
        }
        Entry::Occupied(mut entry) if *entry.get() < expires_at => {
            entry.insert(expires_at);
            Change::New
        }
        Entry::Occupied(_) => Change::Known,
    }
}

fn revoke_user(users: &mut HashMap<Uuid, UserRevocation>, id: Uuid, revocation: UserRevocation) -> Change {
    let UserRevocation { min_epoch, expires_at } = revocation;
    match users.entry(id) {
        Entry::Vacant(entry) => {
            entry.insert(revocation);
            Change::New
        }
        Entry::Occupied(entry) if min_epoch <= entry.get().min_epoch && expires_at <= entry.get().expires_at => {
            Change::Known
        }
        Entry::Occupied(mut entry) => {
            let kept = entry.get_mut();
            kept.min_epoch = min_epoch.max(kept.min_epoch);
            kept.expires_at = expires_at.max(kept.expires_at);
            Change::New
        }
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
