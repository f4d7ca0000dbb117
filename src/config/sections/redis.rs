//! Redis.

use std::sync::Arc;
use std::time::Duration;

use crate::config::reader::Reader;
use crate::config::sections::tls::Authorities;
use crate::store::redis::{Settings, SettingsFault};

const URL: &str = "redis.url";
const URL_FORM: &str = "a redis://, rediss://, redis+cluster:// or rediss+cluster:// URL";

/// `None` where no Redis is used.
pub fn read(reader: &mut Reader, authorities: Option<&Authorities>) -> Option<Settings> {
    let default = Settings::new(String::new());
    let url =
        reader.secret(URL, URL_FORM, "Where Redis is. Without it limits are kept in memory, each replica its own.");
    let settings = Settings {
        namespace: reader.value(
            "redis.namespace",
            default.namespace,
            "What separates this service's keys from others' on the same server: letters, digits and hyphens.",
        ),
        max_connections: reader.value(
            "redis.max_connections",
            default.max_connections,
            "Connections that are kept, 1 or more.",
        ),
        timeout: reader.checked(
            "redis.timeout",
            default.timeout,
            "a span from 1ms to 1s",
            |span| (Duration::from_millis(1)..=Duration::from_secs(1)).contains(span),
            "By how much Redis may slow a call at most.",
        ),
        authorities: authorities.map(|authorities| Arc::clone(&authorities.pem)),
        url: url.as_ref().map_or(default.url, |url| url.expose().to_owned().into()),
    };
    for fault in settings.validate() {
        match fault {
            SettingsFault::Url if url.is_some() => reader.fault(URL, format!("expected {URL_FORM}")),
            SettingsFault::Namespace => reader.fault("redis.namespace", "expected letters, digits and hyphens"),
            SettingsFault::Connections => reader.fault("redis.max_connections", "expected 1 or more"),
            // No URL is no fault, and timeout and authorities have been checked.
            SettingsFault::Url | SettingsFault::Timeout | SettingsFault::Authorities => {}
        }
    }
    url.map(|_| settings)
}
