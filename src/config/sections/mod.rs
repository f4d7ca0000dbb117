//! Every setting, section by section; a file a section.

mod audit;
mod data;
mod database;
mod grpc;
mod http;
mod keys;
mod limits;
mod log;
mod mail;
mod mfa;
mod oauth;
mod passwords;
mod redis;
mod sessions;
mod telemetry;
mod tls;
mod tokens;

use std::time::Duration;

use super::reader::Reader;
use crate::crypto::password_hasher::Settings as HasherSettings;
use crate::outbound::mail::Delivery;
use crate::service::auth::settings::RegistrationSettings;
use crate::service::settings::Settings as ServiceSettings;
use crate::service::token::settings::RevocationSettings;
use crate::telemetry::Settings as LogSettings;

pub use data::DataSettings;
pub use database::{DatabaseKind, DatabaseSettings};
pub use keys::{MASTER_KEY_BYTES, MasterKey};

/// Everything that Keystead is set to.
#[derive(Clone, Debug)]
pub struct Settings {
    pub data: DataSettings,
    pub grpc: crate::grpc::Settings,
    pub http: crate::http::Settings,
    pub database: DatabaseSettings,
    /// `None`: limits are kept in memory, and replicas hear of revocations from the database alone.
    pub redis: Option<crate::store::redis::Settings>,
    /// `None`: made at the first start and kept in the data folder.
    pub master_key: Option<MasterKey>,
    /// Those that open what is not yet sealed under the current one.
    pub former_master_keys: Vec<MasterKey>,
    pub passwords: HasherSettings,
    pub service: ServiceSettings,
    pub mail: crate::outbound::mail::Settings,
    pub oidc: crate::outbound::oidc::Settings,
    pub log: LogSettings,
    pub drain: DrainSettings,
}

/// How the service ends.
#[derive(Clone, Copy, Debug)]
pub struct DrainSettings {
    /// For how long calls are still accepted after the service has said that it is not ready.
    pub delay: Duration,
    /// How long calls in flight may go on after that.
    pub timeout: Duration,
}

impl Settings {
    /// Reads every section, in the order of the reference.
    pub fn read(reader: &mut Reader) -> Self {
        let data = data::read(reader);
        let authorities = tls::read(reader);
        let grpc = grpc::read(reader);
        let mut http = http::read(reader, &grpc);
        let database = database::read(reader, &data, authorities.as_ref());
        let redis = redis::read(reader, authorities.as_ref());
        let (master_key, former_master_keys, keys) = keys::read(reader, &database);
        let tokens = tokens::read(reader);
        let public_url = http.public_url.get_or_insert_with(|| tokens.issuer.clone()).clone();
        let sessions = sessions::read(reader);
        let (password_policy, passwords) = passwords::read(reader);
        let registration = registration(reader);
        let mfa = mfa::read(reader);
        let limits = limits::read(reader);
        let revocation = revocation(reader);
        let retention = audit::read(reader);
        let (mail_texts, mail) = mail::read(reader, &data, authorities.as_ref());
        let (federation, oidc) = oauth::read(reader, &public_url, authorities.as_ref());
        let traces = telemetry::read(reader, authorities.as_ref());
        let log = log::read(reader, traces);
        let drain = drain(reader);
        let service = ServiceSettings {
            tokens,
            sessions,
            registration,
            mfa,
            passwords: password_policy,
            limits,
            keys,
            revocation,
            mail: mail_texts,
            retention,
            federation,
        };
        Self {
            data,
            grpc,
            http,
            database,
            redis,
            master_key,
            former_master_keys,
            passwords,
            service,
            mail,
            oidc,
            log,
            drain,
        }
    }
}

impl Settings {
    /// Whether anything of the embedded defaults lives in the data folder.
    pub fn uses_data_folder(&self) -> bool {
        let outbox = self.data.directory.join("outbox");
        self.master_key.is_none()
            || self.database.kind == DatabaseKind::Sqlite
            || matches!(&self.mail.delivery, Delivery::Files(folder) if *folder == outbox)
    }
}

fn registration(reader: &mut Reader) -> RegistrationSettings {
    let default = RegistrationSettings::default();
    RegistrationSettings {
        open: reader.value("registration.open", default.open, "Whether anybody may register."),
        verify_email: reader.value(
            "registration.verify_email",
            default.verify_email,
            "Whether an address must be verified before its account can sign in.",
        ),
    }
}

fn revocation(reader: &mut Reader) -> RevocationSettings {
    let default = RevocationSettings::default();
    RevocationSettings {
        poll_interval: reader.checked(
            "revocation.poll_interval",
            default.poll_interval,
            "a span from 50ms to 1s",
            |span| (Duration::from_millis(50)..=Duration::from_secs(1)).contains(span),
            "How often the table of revocations is read, whatever Redis says.",
        ),
        max_staleness: reader.checked(
            "revocation.max_staleness",
            default.max_staleness,
            "a span from 2s to 1m",
            |span| (Duration::from_secs(2)..=Duration::from_mins(1)).contains(span),
            "When the table could not be read for so long, no token is judged.",
        ),
    }
}

fn drain(reader: &mut Reader) -> DrainSettings {
    DrainSettings {
        delay: reader.checked(
            "drain.delay",
            Duration::ZERO,
            "a span up to 1m",
            |span| *span <= Duration::from_mins(1),
            "After the signal to stop: for how long calls are still accepted, for whoever has not yet heard that this \
             replica is not ready. `5s` suits Kubernetes.",
        ),
        timeout: reader.checked(
            "drain.timeout",
            Duration::from_secs(20),
            "a span up to 1h",
            |span| *span <= Duration::from_hours(1),
            "How long calls in flight may go on after that. Keep the pod's grace period longer than both.",
        ),
    }
}
