//! How dear a password hash is, and how many are made at once.

use std::fmt;

use zeroize::Zeroizing;

/// The cost of Argon2id and the size of the queue (RFC 9106; OWASP Password Storage Cheat Sheet).
#[derive(Clone)]
pub struct Settings {
    /// In KiB; 19,456 at least.
    pub memory_kib: u32,
    /// 2 at least.
    pub passes: u32,
    /// 1 at least. Lanes are filled one after another: more of them only make hashes that others can check faster.
    pub lanes: u32,
    /// Without it as many as the machine has processors and memory for.
    pub threads: Option<usize>,
    /// How many passwords may wait, beside those being hashed; without it 32 to a thread.
    pub queue: Option<usize>,
    /// A secret outside the database, mixed into every new hash; 16 bytes at least. Hashes from before it was set go
    /// on to work and are renewed at their next login. Taken away or changed, it makes the hashes under it worthless.
    pub pepper: Option<Zeroizing<Vec<u8>>>,
}

impl Settings {
    pub const MIN_MEMORY_KIB: u32 = 19_456;
    /// Keeps a slip of the pen from exhausting the machine.
    pub const MAX_MEMORY_KIB: u32 = 4 * 1024 * 1024;
    pub const MIN_PASSES: u32 = 2;
    pub const MAX_PASSES: u32 = 64;
    pub const MAX_LANES: u32 = 64;
    pub const MAX_THREADS: usize = 1024;
    pub const MIN_PEPPER_BYTES: usize = 16;

    pub(super) fn check(&self) -> Result<(), SettingsFault> {
        let pepper_is_sound = self.pepper.as_ref().is_none_or(|pepper| pepper.len() >= Self::MIN_PEPPER_BYTES);
        let faults = [
            (SettingsFault::Memory, (Self::MIN_MEMORY_KIB..=Self::MAX_MEMORY_KIB).contains(&self.memory_kib)),
            (SettingsFault::Passes, (Self::MIN_PASSES..=Self::MAX_PASSES).contains(&self.passes)),
            (SettingsFault::Lanes, (1..=Self::MAX_LANES).contains(&self.lanes)),
            (SettingsFault::Threads, self.threads.is_none_or(|threads| (1..=Self::MAX_THREADS).contains(&threads))),
            (SettingsFault::Pepper, pepper_is_sound),
        ];
        match faults.into_iter().find(|(_, sound)| !sound) {
            Some((fault, _)) => Err(fault),
            None => Ok(()),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            memory_kib: Self::MIN_MEMORY_KIB,
            passes: Self::MIN_PASSES,
            lanes: 1,
            threads: None,
            queue: None,
            pepper: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("memory_kib", &self.memory_kib)
            .field("passes", &self.passes)
            .field("lanes", &self.lanes)
            .field("threads", &self.threads)
            .field("queue", &self.queue)
            .field("pepper", &self.pepper.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

/// Why password hashing does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    #[error("memory must be {} to {} KiB", Settings::MIN_MEMORY_KIB, Settings::MAX_MEMORY_KIB)]
    Memory,
    #[error("passes must be {} to {}", Settings::MIN_PASSES, Settings::MAX_PASSES)]
    Passes,
    #[error("lanes must be 1 to {}", Settings::MAX_LANES)]
    Lanes,
    #[error("threads must be 1 to {}", Settings::MAX_THREADS)]
    Threads,
    #[error("the pepper must have at least {} bytes", Settings::MIN_PEPPER_BYTES)]
    Pepper,
    /// In bytes: what all threads take together, and all that the process may use.
    #[error(
        "hashing would take {} MiB of the {} MiB of memory that there are: fewer threads, or less memory for each",
        needed >> 20, memory >> 20
    )]
    Room { needed: u64, memory: u64 },
    #[error("a hashing thread could not be started")]
    NoThread,
}
