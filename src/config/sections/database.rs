//! The database.

use crate::config::reader::Reader;
use crate::config::sections::data::DataSettings;
use crate::config::sections::tls::Authorities;
use crate::store::db::{DatabaseUrl, Settings};

const URL: &str = "database.url";

/// Where the store is, and what is done to it at the start.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    pub store: Settings,
    pub kind: DatabaseKind,
    /// Whether the schema is brought up to date at the start.
    pub migrate_at_start: bool,
}

/// What kind of database the URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

pub fn read(reader: &mut Reader, data: &DataSettings, authorities: Option<&Authorities>) -> DatabaseSettings {
    let url = reader.secret(
        URL,
        "a postgres:// or sqlite:// URL",
        "Where the database is: `postgres://user:password@host/name` or `sqlite://path`. Without it \
         `keystead.sqlite` in the data folder.",
    );
    // What the URL itself names is meant for this database.
    let names_authorities = url.as_ref().is_some_and(|url| url.expose().contains("sslrootcert="));
    let common = authorities.filter(|_| !names_authorities).map(|authorities| authorities.file.clone());
    let is_postgres = url.as_ref().is_some_and(|url| url.expose().starts_with("postgres"));
    let embedded = || DatabaseUrl::sqlite(&data.directory.join("keystead.sqlite"));
    let default = Settings::new(url.map_or_else(embedded, |url| DatabaseUrl::new(url.expose())));
    let store = Settings {
        max_connections: reader.checked(
            "database.max_connections",
            default.max_connections,
            "a whole number from 1 to 1000",
            |number| (1..=1_000).contains(number),
            "Connections to PostgreSQL; of SQLite the readers.",
        ),
        allow_weak_tls: reader.value(
            "database.allow_weak_tls",
            default.allow_weak_tls,
            "Whether PostgreSQL on another host may be reached with less than `sslmode=verify-full`.",
        ),
        ca_file: reader.optional(
            "database.ca_file",
            "PEM file with the authorities that may vouch for PostgreSQL, where they are not public ones. Without it that of \
             `tls.ca_file`.",
        ),
        ..default
    };
    let store = Settings { ca_file: store.ca_file.or(common), ..store };
    if let Err(problem) = store.validate() {
        reader.fault(URL, problem);
    }
    let migrate_at_start = reader.value(
        "database.migrate_at_start",
        true,
        "Whether the schema is brought up to date at the start; where not, `keystead migrate` does it.",
    );
    let kind = if is_postgres { DatabaseKind::Postgres } else { DatabaseKind::Sqlite };
    DatabaseSettings { store, kind, migrate_at_start }
}
