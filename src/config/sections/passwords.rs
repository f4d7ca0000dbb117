//! Passwords: what is asked of new ones, and what hashing them costs.

use std::thread::available_parallelism;

use zeroize::Zeroizing;

use crate::config::reader::Reader;
use crate::crypto::password_hasher;
use crate::domain::password::{MAX_PASSWORD_CHARS, PasswordPolicy};

/// Each hashing thread keeps this much memory.
const MEMORY_KIB: u32 = 19_456;
/// As many as one thread hashes in some six seconds: who waits longer has given up.
const QUEUE: usize = 256;

pub fn read(reader: &mut Reader) -> (PasswordPolicy, password_hasher::Settings) {
    let policy = PasswordPolicy {
        min_chars: reader.checked(
            "passwords.min_length",
            PasswordPolicy::default().min_chars,
            "a whole number from 8 to 256",
            |number| (8..=MAX_PASSWORD_CHARS).contains(number),
            "Characters that a new password has at least; 15 is recommended where there is no second factor.",
        ),
    };
    (policy, hashing(reader))
}

fn hashing(reader: &mut Reader) -> password_hasher::Settings {
    password_hasher::Settings {
        memory_kib: reader.checked(
            "passwords.memory_kib",
            MEMORY_KIB,
            "a whole number from 19456 to 1048576",
            |number| (MEMORY_KIB..=1_048_576).contains(number),
            "Memory of Argon2id in KiB; each hashing thread keeps as much.",
        ),
        passes: reader.checked(
            "passwords.passes",
            2,
            "a whole number from 2 to 16",
            |number| (2..=16).contains(number),
            "Passes of Argon2id.",
        ),
        lanes: reader.checked(
            "passwords.lanes",
            1,
            "a whole number from 1 to 16",
            |number| (1..=16).contains(number),
            "Lanes of Argon2id.",
        ),
        threads: threads(reader),
        queue: reader.checked(
            "passwords.queue",
            QUEUE,
            "a whole number from 1 to 10000",
            |number| (1..=10_000).contains(number),
            "Passwords that may wait, beside those being hashed; further calls are refused with `HASH_CAPACITY`.",
        ),
        pepper: reader
            .secret(
                "passwords.pepper",
                "text",
                "A secret outside the database, mixed into every new hash. Once it is set it must never change: no \
                 password would be right any more.",
            )
            .map(|pepper| Zeroizing::new(pepper.expose().as_bytes().to_vec())),
    }
}

/// `0` stands for the default, which the machine decides.
fn threads(reader: &mut Reader) -> usize {
    let set = reader.checked(
        "passwords.threads",
        0,
        "a whole number up to 256",
        |number| *number <= 256,
        "Threads that hash; `0` is one a processor.",
    );
    if set == 0 { available_parallelism().map_or(1, usize::from) } else { set }
}
