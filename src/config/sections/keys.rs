//! Server keys.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::sections::database::{DatabaseKind, DatabaseSettings};
use crate::service::keys::settings::KeySettings;

/// The size of the master key: AES-256.
pub const MASTER_KEY_BYTES: usize = 32;

/// The bytes of the key that every server key is sealed under.
#[derive(Clone)]
pub struct MasterKey(pub Zeroizing<[u8; MASTER_KEY_BYTES]>);

impl MasterKey {
    /// From its base64 form (RFC 4648, section 4).
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        let mut key = Zeroizing::new([0; MASTER_KEY_BYTES]);
        (bytes.len() == key.len()).then(|| key.copy_from_slice(&bytes))?;
        Some(Self(key))
    }

    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[redacted]")
    }
}

const MASTER_KEY: &str = "keys.master_key";
const MASTER_KEY_FORM: &str = "32 random bytes in base64, as `openssl rand -base64 32` makes them";

const FORMER_MASTER_KEYS: &str = "keys.former_master_keys";
const FORMER_FORM: &str = "master keys in base64, separated by commas or line breaks";

pub fn read(reader: &mut Reader, database: &DatabaseSettings) -> (Option<MasterKey>, Vec<MasterKey>, KeySettings) {
    let secret = reader.secret(
        MASTER_KEY,
        MASTER_KEY_FORM,
        "Seals every server key in the database. Without it SQLite gets one in the data folder; PostgreSQL needs it, \
         the same on every replica.",
    );
    let master_key = parse_master_key(reader, secret.as_ref(), database);
    let former = reader.secret(
        FORMER_MASTER_KEYS,
        FORMER_FORM,
        "Master keys that still open what is sealed under them, while `keystead keys rotate-master` has not yet sealed \
         everything under `keys.master_key`; see `docs/administration.md`.",
    );
    let former_master_keys = parse_former(reader, former.as_ref());
    let default = KeySettings::default();
    let keys = KeySettings {
        algorithm: reader.value("keys.algorithm", default.algorithm, "Algorithm of new signing keys."),
        rotation_period: reader.checked(
            "keys.rotation_period",
            default.rotation_period,
            "a span of 1h or more",
            |span| *span >= Duration::from_hours(1),
            "How long a signing key signs before the next one takes over.",
        ),
        jwks_max_age: reader.checked(
            "keys.jwks_max_age",
            default.jwks_max_age,
            "a span from 1s to 1d",
            |span| (Duration::from_secs(1)..=Duration::from_hours(24)).contains(span),
            "For how long others may keep the published keys.",
        ),
        reload_interval: reader.checked(
            "keys.reload_interval",
            default.reload_interval,
            "a span from 100ms to 5m",
            |span| (Duration::from_millis(100)..=Duration::from_mins(5)).contains(span),
            "How often a replica reads the keys again, and takes the step that is due in their life.",
        ),
    };
    if keys.publish_lead() >= keys.rotation_period {
        reader.fault("keys.rotation_period", "expected longer than keys.jwks_max_age and three reloads of the keys");
    }
    (master_key, former_master_keys, keys)
}

fn parse_former(reader: &mut Reader, secret: Option<&Secret>) -> Vec<MasterKey> {
    let text = secret.map_or("", Secret::expose);
    let words = text.split(|char: char| char == ',' || char.is_whitespace()).filter(|word| !word.is_empty());
    let keys: Option<Vec<MasterKey>> = words.map(MasterKey::from_base64).collect();
    keys.unwrap_or_else(|| {
        reader.fault(FORMER_MASTER_KEYS, format!("expected {FORMER_FORM}"));
        Vec::new()
    })
}

fn parse_master_key(reader: &mut Reader, secret: Option<&Secret>, database: &DatabaseSettings) -> Option<MasterKey> {
    let Some(secret) = secret else {
        if database.kind == DatabaseKind::Postgres {
            reader
                .fault(MASTER_KEY, format!("is needed with PostgreSQL: {MASTER_KEY_FORM}, the same on every replica"));
        }
        return None;
    };
    let key = MasterKey::from_base64(secret.expose().trim());
    if key.is_none() {
        reader.fault(MASTER_KEY, format!("expected {MASTER_KEY_FORM}"));
    }
    key
}
