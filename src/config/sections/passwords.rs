//! Passwords: what is asked of new ones, and what hashing them costs.

use zeroize::Zeroizing;

use crate::config::reader::Reader;
use crate::crypto::password_hasher::Settings;
use crate::domain::password::{MAX_PASSWORD_CHARS, PasswordPolicy};

pub fn read(reader: &mut Reader) -> (PasswordPolicy, Settings) {
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

fn hashing(reader: &mut Reader) -> Settings {
    let default = Settings::default();
    Settings {
        memory_kib: reader.checked(
            "passwords.memory_kib",
            default.memory_kib,
            "a whole number from 19456 to 1048576",
            |number| (Settings::MIN_MEMORY_KIB..=1_048_576).contains(number),
            "Memory of Argon2id in KiB; each hashing thread keeps as much.",
        ),
        passes: reader.checked(
            "passwords.passes",
            default.passes,
            "a whole number from 2 to 16",
            |number| (2..=16).contains(number),
            "Passes of Argon2id.",
        ),
        lanes: reader.checked(
            "passwords.lanes",
            default.lanes,
            "a whole number from 1 to 16",
            |number| (1..=16).contains(number),
            "Lanes of Argon2id.",
        ),
        threads: or_by_machine(
            reader,
            "passwords.threads",
            256,
            "a whole number up to 256",
            "Threads that hash. `0` is as many as there are processors and memory for, by the limits of the control \
             group: one a processor, or one less than a processor quota that is smaller than the machine, and so many \
             that 64 MiB are left. More than fit into the memory at all stop the start.",
        ),
        queue: or_by_machine(
            reader,
            "passwords.queue",
            10_000,
            "a whole number up to 10000",
            "Passwords that may wait, beside those being hashed; `0` is 32 a thread. Further calls are refused with \
             `HASH_CAPACITY`, and so are those that cannot be expected to be done before their deadline.",
        ),
        pepper: pepper(reader),
    }
}

fn pepper(reader: &mut Reader) -> Option<Zeroizing<Vec<u8>>> {
    const PEPPER: &str = "passwords.pepper";
    const PEPPER_FORM: &str = "text of 16 bytes or more";
    let pepper = reader.secret(
        PEPPER,
        PEPPER_FORM,
        "A secret outside the database, mixed into every new hash. Hashes from before it was set go on to work; taken \
         away or changed, it makes the passwords hashed with it worthless.",
    )?;
    if pepper.expose().len() < Settings::MIN_PEPPER_BYTES {
        reader.fault(PEPPER, format!("expected {PEPPER_FORM}"));
    }
    Some(Zeroizing::new(pepper.expose().as_bytes().to_vec()))
}

/// `0` stands for the default, which the machine decides.
fn or_by_machine(
    reader: &mut Reader,
    path: &'static str,
    most: usize,
    expected: &'static str,
    meaning: &'static str,
) -> Option<usize> {
    let set = reader.checked(path, 0, expected, |number| *number <= most, meaning);
    (set > 0).then_some(set)
}
