//! Hashes of passwords, as an import brings them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use keystead::crypto::password_hasher::{Machine, PasswordHasher, PasswordVerdict, Settings};
use keystead::domain::clock::{Clock, Entropy, Timestamp};
use keystead::domain::deadline::Deadline;
use keystead::domain::password::Password;
use keystead::domain::user::PasswordHash;
use tokio::runtime::{Builder, Runtime};

use super::text;

/// The dearest that are taken.
const MAX_ARGON_KIB: u64 = 262_144;
const MAX_BCRYPT_COST: u64 = 14;
const MAX_ROUNDS: u64 = 2_000_000;
const MAX_SCRYPT_BYTES: u64 = 268_435_456;

/// Time that stands still, and bytes that repeat.
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(9);
    }
}

fn hasher() -> &'static (PasswordHasher, Runtime) {
    static HASHER: OnceLock<(PasswordHasher, Runtime)> = OnceLock::new();
    HASHER.get_or_init(|| {
        let machine = Machine { processors: 1, quota: None, memory: None };
        let hasher = PasswordHasher::start(&Settings::default(), &machine, Arc::new(Fixed), Arc::new(Fixed));
        (hasher.expect("threads"), Builder::new_current_thread().enable_all().build().expect("a runtime"))
    })
}

/// A hash that is taken costs no more than is allowed, says so in one way alone, and can be checked where that is cheap.
pub fn password_hash(bytes: &[u8]) {
    let stored = text(bytes);
    let (hasher, runtime) = hasher();
    if !hasher.can_check(&PasswordHash::new(stored)) {
        return;
    }
    if is_cheap(stored) {
        let password = Password::parse("correct horse battery staple").expect("a password");
        let place = hasher.reserve(Deadline::NEVER).expect("a place");
        let verdict = runtime.block_on(place.verify(password, Some(PasswordHash::new(stored)))).expect("a verdict");
        // A foreign or outdated hash that matches is renewed.
        assert!(!matches!(verdict, PasswordVerdict::Right { rehash: None }), "a hash that this hasher never makes");
    }
}

/// Judges the cost by its text, as whoever wrote the hash meant it.
fn is_cheap(stored: &str) -> bool {
    let fields: Vec<&str> = stored.split('$').skip(1).collect();
    let parameters = fields.iter().flat_map(|field| field.split(',')).filter_map(|pair| pair.split_once('='));
    let number = |name: &str| {
        let mut values = parameters.clone().filter(|(known, _)| *known == name).map(|(_, value)| value);
        let value = values.next();
        assert!(values.next().is_none(), "a parameter comes twice: {name}");
        value.map(|text| {
            assert!(text.bytes().all(|byte| byte.is_ascii_digit()), "no number in digits: {name}");
            text.parse::<u64>().expect("a number")
        })
    };
    match fields[0] {
        "2a" | "2b" | "2y" => {
            let cost: u64 = fields[1].parse().expect("a cost");
            assert!(fields[1].len() == 2 && cost <= MAX_BCRYPT_COST, "a cost that is none, or too dear");
            cost == 4
        }
        "scrypt" | "fbscrypt" => {
            let log_n = number("ln").or_else(|| number("n")).expect("a cost");
            let (r, p) = (number("r").expect("a block size"), number("p").expect("lanes"));
            let memory = (128 << log_n) * r;
            assert!(memory <= MAX_SCRYPT_BYTES && memory * p <= 2 * MAX_SCRYPT_BYTES, "too dear");
            memory * p <= 1 << 16
        }
        name if name.starts_with("argon2") => {
            let (memory, passes) = (number("m").expect("memory"), number("t").expect("passes"));
            assert!(memory <= MAX_ARGON_KIB && number("p").expect("lanes") <= 64, "too dear");
            assert!(number("v").is_none_or(|version| version == 16 || version == 19));
            memory * passes <= 256
        }
        _ => {
            let rounds = number("i").unwrap_or_else(|| fields[1].parse().expect("rounds"));
            assert!((1..=MAX_ROUNDS).contains(&rounds), "too dear");
            rounds <= 100
        }
    }
}
