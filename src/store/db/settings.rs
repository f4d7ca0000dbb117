//! Where the database is, and how long to wait for it.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The address of the database: `sqlite://PATH` or `postgres://…`. May hold a password, so that it never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The address of an SQLite file, which need not exist yet; its folder must.
    pub fn sqlite(path: &Path) -> Self {
        Self(format!("sqlite://{}", path.display()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct Settings {
    pub url: DatabaseUrl,
    /// Of PostgreSQL: connections of this replica. Of SQLite: its readers; there is one writer. Default 16.
    pub max_connections: u32,
    /// How long an operation waits for a connection, making one included. Default 1.5 s.
    pub acquire_timeout: Duration,
    /// How long an operation of a port may take in all, repetitions included, before it is `Unavailable`.
    /// Default 1.8 s, so that a caller hears of a dead database within two.
    pub operation_timeout: Duration,
    /// Whether PostgreSQL on another host may be reached with less than `sslmode=verify-full`. Default no.
    pub allow_weak_tls: bool,
    /// The certificates (PEM) that may vouch for PostgreSQL; by default those of the URL (`sslrootcert`) or the
    /// built-in ones.
    pub ca_file: Option<PathBuf>,
}

/// A database as the settings name it.
pub(super) enum Target {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl Settings {
    pub fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            max_connections: 16,
            acquire_timeout: Duration::from_millis(1_500),
            operation_timeout: Duration::from_millis(1_800),
            allow_weak_tls: false,
            ca_file: None,
        }
    }

    /// Says what is wrong with the settings, if anything; never with a value of theirs.
    pub fn validate(&self) -> Result<(), &'static str> {
        self.target().map(|_| ())
    }

    /// The file, where the database is one.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        self.url.0.strip_prefix("sqlite://").and_then(|path| sqlite_file(path).ok())
    }

    /// Whether PostgreSQL is on another host.
    pub fn is_remote(&self) -> bool {
        matches!(self.target(), Ok(Target::Postgres(options)) if !is_local(&options))
    }

    pub(super) fn target(&self) -> Result<Target, &'static str> {
        if self.max_connections == 0 {
            return Err("needs at least one connection");
        }
        if let Some(path) = self.url.0.strip_prefix("sqlite://") {
            return sqlite_file(path).map(Target::Sqlite);
        }
        if !self.url.0.starts_with("postgres://") && !self.url.0.starts_with("postgresql://") {
            return Err("must start with sqlite:// or postgres://");
        }
        let mut options: PgConnectOptions = self.url.0.parse().map_err(|_| "is no valid postgres:// address")?;
        if let Some(file) = &self.ca_file {
            options = options.ssl_root_cert(file);
        }
        if self.allow_weak_tls || is_local(&options) || matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
            Ok(Target::Postgres(Box::new(options)))
        } else {
            Err("needs sslmode=verify-full for a database on another host, or the setting that allows weak TLS")
        }
    }
}

fn sqlite_file(path: &str) -> Result<PathBuf, &'static str> {
    if path.is_empty() || path.starts_with(':') || path.contains('?') {
        return Err("must name a file after sqlite://, without parameters");
    }
    Ok(PathBuf::from(path))
}

fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{DatabaseUrl, Settings};

    fn valid(url: &str) -> bool {
        Settings::new(DatabaseUrl::new(url)).validate().is_ok()
    }

    #[test]
    fn another_host_is_reached_with_verified_tls_alone() {
        for mode in ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-ca"] {
            let url = format!("postgres://u:p@db.example.org/keystead{mode}");
            assert!(!valid(&url), "{url}");
            let mut settings = Settings::new(DatabaseUrl::new(url.clone()));
            settings.allow_weak_tls = true;
            assert!(settings.validate().is_ok(), "{url}");
        }
        assert!(valid("postgres://u:p@db.example.org/keystead?sslmode=verify-full"));
    }

    #[test]
    fn this_host_is_reached_without_tls() {
        for host in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql"] {
            assert!(valid(&format!("postgres://u:p@{host}/keystead?sslmode=disable")), "{host}");
        }
    }

    #[test]
    fn a_host_that_only_looks_local_is_not() {
        for host in ["localhost.example.org", "127.0.0.1.example.org", "128.0.0.1", "10.0.0.1"] {
            assert!(!valid(&format!("postgres://u:p@{host}/keystead")), "{host}");
        }
    }

    #[test]
    fn what_names_no_database_is_refused() {
        for url in ["", "sqlite://", "sqlite://:memory:", "sqlite://a?mode=ro", "mysql://localhost/x", "/var/lib/x"] {
            assert!(!valid(url), "{url}");
        }
        assert!(valid("sqlite:///var/lib/keystead/keystead.db"));
    }

    // promise S1
    #[test]
    fn settings_print_no_password() {
        let settings = Settings::new(DatabaseUrl::new("postgres://u:canary@localhost/keystead"));
        assert!(!format!("{settings:?}").contains("canary"));
    }
}
