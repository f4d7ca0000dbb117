//! The database.

use std::path::PathBuf;

use crate::config::reader::Reader;
use crate::config::secret::Secret;
use crate::config::sections::data::DataSettings;

const URL: &str = "database.url";
const URL_FORM: &str = "a postgres:// or sqlite:// URL";

#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    pub url: Secret,
    pub max_connections: u32,
    pub migrate_at_start: bool,
    pub allow_weak_tls: bool,
    pub ca_file: Option<PathBuf>,
}

impl DatabaseSettings {
    pub fn is_postgres(&self) -> bool {
        is_postgres(self.url.expose())
    }
}

pub fn read(reader: &mut Reader, data: &DataSettings) -> DatabaseSettings {
    let url = reader.secret(
        URL,
        URL_FORM,
        "Where the database is: `postgres://user:password@host/name` or `sqlite://path`. Without it \
         `keystead.sqlite` in the data folder.",
    );
    if url.as_ref().is_some_and(|url| !is_postgres(url.expose()) && !is_sqlite(url.expose())) {
        reader.fault(URL, format!("expected {URL_FORM}"));
    }
    DatabaseSettings {
        url: url.unwrap_or_else(|| embedded(data)),
        max_connections: reader.checked(
            "database.max_connections",
            10,
            "a whole number from 2 to 1000",
            |number| (2..=1_000).contains(number),
            "Connections to PostgreSQL that are kept at most.",
        ),
        migrate_at_start: reader.value(
            "database.migrate_at_start",
            true,
            "Whether the schema is brought up to date at the start; where not, `keystead migrate` does it.",
        ),
        allow_weak_tls: reader.value(
            "database.allow_weak_tls",
            false,
            "Whether a PostgreSQL that is not on this machine may be reached with less than TLS by a verified name.",
        ),
        ca_file: reader
            .optional("database.ca_file", "PEM file with the authority that PostgreSQL's certificate comes from."),
    }
}

fn embedded(data: &DataSettings) -> Secret {
    Secret::new(format!("sqlite://{}", data.directory.join("keystead.sqlite").display()))
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}
