//! Firebase Authentication: `firebase auth:export --format=json`, with the project's parameters of its hashes.

use serde::Deserialize;

use super::cells;
use crate::service::admin::users::user_row::UserRow;

/// The parameters, as the console shows them under "Password hash parameters".
#[derive(Clone)]
pub struct HashConfig {
    signer_key: String,
    salt_separator: String,
    rounds: u32,
    mem_cost: u32,
}

impl HashConfig {
    /// Reads what the console shows; what is wrong holds nothing of the key.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let find = |name: &str| {
            let value = text.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix(':'));
            value.map(|value| value.trim().trim_end_matches(',').trim_matches('"'))
        };
        if find("algorithm") != Some("SCRYPT") {
            return Err("must say `algorithm: SCRYPT`");
        }
        let number = |name: &str| find(name).and_then(|text| text.parse().ok());
        Ok(Self {
            signer_key: find("base64_signer_key").ok_or("must have `base64_signer_key`")?.to_owned(),
            salt_separator: find("base64_salt_separator").ok_or("must have `base64_salt_separator`")?.to_owned(),
            rounds: number("rounds").ok_or("must have the number `rounds`")?,
            mem_cost: number("mem_cost").ok_or("must have the number `mem_cost`")?,
        })
    }

    /// In the form that the hasher knows.
    fn hash(&self, salt: &str, hash: &str) -> String {
        let Self { signer_key, salt_separator, rounds, mem_cost } = self;
        let (salt, hash) = (standard(salt), standard(hash));
        format!("$fbscrypt$v=1,n={mem_cost},r={rounds},p=1,ss={salt_separator},sk={signer_key}${salt}${hash}")
    }
}

/// Firebase exports in the alphabet for URLs.
fn standard(base64: &str) -> String {
    base64.replace('-', "+").replace('_', "/")
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    local_id: String,
    email: String,
    email_verified: bool,
    display_name: String,
    disabled: bool,
    password_hash: String,
    salt: String,
    /// Milliseconds, as a text.
    created_at: Option<String>,
}

pub fn row(user: User, config: &HashConfig) -> UserRow {
    let is_set = !user.password_hash.is_empty();
    let mut row = UserRow {
        external_id: user.local_id,
        email: user.email,
        email_verified: user.email_verified,
        display_name: user.display_name,
        disabled: user.disabled,
        password_hash: if is_set { config.hash(&user.salt, &user.password_hash) } else { String::new() },
        ..UserRow::default()
    };
    match user.created_at.map(|text| text.parse()) {
        Some(Ok(millis)) => row.created_at = cells::millis(&mut row, "create_time", millis),
        Some(Err(_)) => row.fault("create_time", "must be a time in milliseconds"),
        None => {}
    }
    row
}
