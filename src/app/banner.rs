//! What whoever started Keystead wants to know: where everything is, and what to try next.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::start_error::StartError;
use crate::config::{DatabaseKind, Settings};
use crate::outbound::mail::Delivery;

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Overview {
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    tls: bool,
    reflection: bool,
    database: DatabaseKind,
    shared_limits: bool,
    /// Where something of the embedded defaults is used.
    data: Option<PathBuf>,
    /// Where mails are files.
    outbox: Option<PathBuf>,
}

impl Overview {
    pub fn new(
        settings: &Settings,
        grpc: io::Result<SocketAddr>,
        http: io::Result<SocketAddr>,
    ) -> Result<Self, StartError> {
        let known = |address: io::Result<SocketAddr>| {
            address.map_err(|error| StartError::Failed(format!("a bound address cannot be told: {error}")))
        };
        let outbox = match &settings.mail.delivery {
            Delivery::Files(folder) => Some(folder.clone()),
            Delivery::Smtp(_) => None,
        };
        Ok(Self {
            grpc: known(grpc)?,
            http: known(http)?,
            tls: settings.grpc.tls_certificate.is_some(),
            reflection: settings.grpc.reflection,
            database: settings.database.kind,
            shared_limits: settings.redis.is_some(),
            data: settings.uses_data_folder().then(|| settings.data.directory.clone()),
            outbox,
        })
    }

    /// Tells the same as a log event, and warns of defaults that suit one machine on a listener that others reach.
    pub fn log(&self) {
        tracing::info!(
            grpc = %self.grpc,
            http = %self.http,
            tls = self.tls,
            database = self.database_name(),
            limits = self.limits_name(),
            "serving"
        );
        if self.grpc.ip().to_canonical().is_loopback() {
            return;
        }
        if self.database == DatabaseKind::Sqlite {
            tracing::warn!(
                "others can reach this listener, but the database is SQLite, which one replica alone can use"
            );
        }
        if self.outbox.is_some() {
            tracing::warn!("others can reach this listener, but mails are written to files: set mail.smtp_url");
        }
    }

    fn database_name(&self) -> &'static str {
        match self.database {
            DatabaseKind::Sqlite => "SQLite",
            DatabaseKind::Postgres => "PostgreSQL",
        }
    }

    fn limits_name(&self) -> &'static str {
        if self.shared_limits { "Redis" } else { "memory" }
    }
}

impl fmt::Display for Overview {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encryption = if self.tls { "TLS" } else { "clear text" };
        writeln!(formatter, "Keystead is running.")?;
        writeln!(formatter, "  gRPC      {} ({encryption})", self.grpc)?;
        writeln!(formatter, "  HTTP      http://{}/.well-known/jwks.json", self.http)?;
        writeln!(formatter, "  database  {}", self.database_name())?;
        writeln!(formatter, "  limits    in {}", self.limits_name())?;
        if let Some(data) = &self.data {
            writeln!(formatter, "  data      {}", data.display())?;
        }
        if let Some(outbox) = &self.outbox {
            writeln!(formatter, "  mail      {}", outbox.display())?;
        }
        if !self.reflection || self.tls {
            return Ok(());
        }
        writeln!(formatter, "\nTry:")?;
        writeln!(
            formatter,
            "  grpcurl -plaintext -d '{EXAMPLE}' \\\n    {} keystead.v1.AuthService/Register",
            self.grpc
        )
    }
}

const EXAMPLE: &str = r#"{"email":"ada@example.com","password":"correct horse battery staple"}"#;
