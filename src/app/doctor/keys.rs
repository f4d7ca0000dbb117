//! The master key, and what is sealed under it.

use std::time::Duration;

use super::Finding;
use crate::app::Parts;
use crate::app::data_folder::DataFolder;
use crate::app::known_master_keys;
use crate::config::{MasterKey, Settings};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::master_keys::MasterKeys;
use crate::domain::key::{KeyPurpose, KeyState, StoredKey, StoredKeys};
use crate::domain::ports::Keys as _;
use crate::store::db::Database;

/// Whether the master key opens the stored keys, and whether they are as young as they should be.
pub async fn examine(check: &'static str, settings: &Settings, parts: &Parts, database: &Database) -> Finding {
    let stored = match database.load().await {
        Ok(stored) => stored,
        Err(error) => return Finding::fail(check, error.to_string(), "see the database's own log"),
    };
    let master = match master_key(settings) {
        Ok(master) => master,
        Err(problem) => return Finding::fail(check, problem, "restore the file from its backup, with `chmod 600`"),
    };
    if stored.keys.is_empty() {
        return Finding::ok(check, "the first start makes them");
    }
    match master {
        None => Finding::fail(
            check,
            "the database holds keys, but the master key that opens them is not in the data folder",
            "restore master.key from its backup, or name the key by keys.master_key_file",
        ),
        Some(master) => opened(check, settings, parts, &stored, &known_master_keys(&master, settings)),
    }
}

fn opened(
    check: &'static str,
    settings: &Settings,
    parts: &Parts,
    stored: &StoredKeys,
    master: &MasterKeys,
) -> Finding {
    if let Err(error) = KeyRing::open(stored, master) {
        return Finding::fail(
            check,
            format!("the master key does not open them: {error}"),
            "set keys.master_key to the key that the database was made with, or name that one by keys.former_master_keys",
        );
    }
    let is_active = |key: &&StoredKey| key.purpose == KeyPurpose::Signing && key.state == KeyState::Active;
    let Some(signing) = stored.keys.iter().find(is_active) else {
        return Finding::fail(check, "no key signs", "start the service, which makes one");
    };
    let age = parts.clock.now().as_millis() - signing.state_since.as_millis();
    let age = Duration::from_millis(age.max(0).unsigned_abs());
    let keys = &settings.service.keys;
    let found = format!("{} keys open; one signs since {} days", stored.keys.len(), age.as_secs() / 86_400);
    if age > keys.rotation_period + keys.publish_lead() {
        return Finding::warn(check, format!("{found}, which is overdue"), "let the service run: it rotates its keys");
    }
    match stored.keys.iter().filter(|key| !master.is_current(key)).count() {
        0 if settings.former_master_keys.is_empty() => Finding::ok(check, found),
        0 => Finding::ok(check, format!("{found}; no former master key is needed any more")),
        former => Finding::warn(
            check,
            format!("{found}; {former} are sealed under a former master key"),
            "run `keystead keys rotate-master` once every replica knows the current one",
        ),
    }
}

/// The key that a start would use; none is made.
fn master_key(settings: &Settings) -> Result<Option<MasterKey>, String> {
    match &settings.master_key {
        Some(key) => Ok(Some(key.clone())),
        None => DataFolder::find_master_key(&settings.data.directory).map_err(|error| error.to_string()),
    }
}
