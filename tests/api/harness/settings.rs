//! The settings of a test's Keystead, as an operator would write them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keystead::config::Settings;
use keystead::config::sources::Sources;

use super::backend::Servers;

/// A master key for tests alone.
pub const MASTER_KEY: &str = "a2V5c3RlYWQtdGVzdHMtbWFzdGVyLWtleS0zMi1ieXQ=";

/// The bytes of the master key that every Keystead of the tests is set to.
pub fn master_key() -> [u8; 32] {
    STANDARD.decode(MASTER_KEY).expect("base64").try_into().expect("32 bytes")
}

/// How long the database may take before it counts as away, where no test of that is meant.
const DATABASE_PATIENCE: Duration = Duration::from_secs(30);
/// The same of Redis: the most that may be set.
const REDIS_PATIENCE: Duration = Duration::from_secs(1);

/// Settings by path; each value as it stands in TOML.
#[derive(Clone, Debug, Default)]
pub struct Values {
    written: BTreeMap<String, String>,
    /// Whether the database and Redis are waited for as is promised, instead of longer than any machine is busy.
    pub waits_as_promised: bool,
}

impl Values {
    /// Free ports, and limits that no test meets by accident.
    pub fn generous() -> Self {
        let mut values = Self::default();
        values.set("grpc.listen", "\"127.0.0.1:0\"");
        values.set("http.listen", "\"127.0.0.1:0\"");
        values.set("keys.master_key", &format!("\"{MASTER_KEY}\""));
        for limit in ["per_source", "per_account_and_source", "per_account", "mail_per_source"] {
            values.limit(limit, 1_000_000, "1ms");
        }
        values.set("drain.delay", "\"0s\"");
        values.limit("mail_per_address_and_source", 1_000_000, "1ms");
        values
    }

    pub fn set(&mut self, path: &str, value: &str) {
        self.written.insert(path.to_owned(), value.to_owned());
    }

    /// So many at once, then one in each period.
    pub fn limit(&mut self, name: &str, burst: u32, period: &str) {
        self.set(&format!("limits.{name}_burst"), &burst.to_string());
        self.set(&format!("limits.{name}_period"), &format!("\"{period}\""));
    }

    /// Puts the data into the folder and points to the servers.
    pub fn place(&mut self, folder: &Path, servers: &Servers) {
        self.set("data.directory", &quoted(&folder.display().to_string()));
        if let Some(url) = &servers.database_url {
            self.set("database.url", &quoted(url));
        }
        if let Some(redis) = &servers.redis {
            self.set("redis.url", &quoted(&redis.url()));
        }
    }

    /// What the service makes of them in this process.
    pub fn settings(&self) -> Settings {
        let sources = Sources { file: Some(self.toml()), ..Sources::default() };
        let mut settings = Settings::load(sources).unwrap_or_else(|faults| panic!("{faults}"));
        if !self.waits_as_promised {
            settings.database.store.acquire_timeout = DATABASE_PATIENCE;
            settings.database.store.operation_timeout = DATABASE_PATIENCE;
            if let Some(redis) = &mut settings.redis {
                redis.timeout = REDIS_PATIENCE;
            }
        }
        settings
    }

    /// The file's text.
    pub fn toml(&self) -> String {
        self.written.iter().map(|(path, value)| format!("{path} = {value}\n")).collect()
    }
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}
